// com.microsoft: operators on integers that ONNX Runtime's quantizer writes; see quant.cpp.
#include <utility>

#include "onnx/quant.h"

namespace dlaexec::onnx {
namespace {

ValueIds qlinear_binary(Node& node, ElementwiseKind kind) {
  hold_asymmetric(node, {{0, 3}, 7});
  const ValueId a = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  const ValueId b = dequantized(node, node.in(3), node.in(4), node.optional(5), 0);
  return {quantized(node, node.binary(kind, a, b), node.in(6), node.optional(7), node.in(0))};
}

ValueIds qlinear_activation(Node& node, ActivationKind kind, float alpha) {
  hold_asymmetric(node, {{0}, 4});
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  return {
      quantized(node, node.activation(kind, x, alpha), node.in(3), node.optional(4), node.in(0))};
}

/// An integer in steps of the result: @p ratio is that of the scales.
ValueId in_steps(Node& node, ValueId x, ValueId ratio) {
  return node.binary(ElementwiseKind::Prod, node.cast(x, ir::DataType::Float32), ratio);
}

/// a * (sa / sc) + b * (sb / sc) + what the zero points add up to, rounded once.
ValueIds whole_add(Node& node) {
  node.hold_integers();
  const auto zero = [&](size_t input) {
    return node.has(input) ? node.cast(node.in(input), ir::DataType::Float32)
                           : node.number(0, node.in(1));
  };
  const ValueId by_a = node.binary(ElementwiseKind::Div, node.in(1), node.in(6));
  const ValueId by_b = node.binary(ElementwiseKind::Div, node.in(4), node.in(6));
  const ValueId zeros =
      node.binary(ElementwiseKind::Sum, node.binary(ElementwiseKind::Prod, by_a, zero(2)),
                  node.binary(ElementwiseKind::Prod, by_b, zero(5)));
  const ValueId fixed = node.binary(ElementwiseKind::Sub, zero(7), zeros);
  const ValueId a = node.binary(ElementwiseKind::Sum, in_steps(node, node.in(0), by_a), fixed);
  const ValueId sum = node.binary(ElementwiseKind::Sum, in_steps(node, node.in(3), by_b), a);
  const ir::Tensor none = ir::Tensor::zeros(node.type_of(node.in(0)), {});
  return {to_integers(node, sum, node.constant(none), node.in(0))};
}

}  // namespace

ValueIds qlinear_add(Node& node) {
  if (is_whole(node, {{0, 3}, 7})) return whole_add(node);
  return qlinear_binary(node, ElementwiseKind::Sum);
}
ValueIds qlinear_where(Node& node) {
  hold_asymmetric(node, {{1, 4}, 8});
  const ValueId x = dequantized(node, node.in(1), node.in(2), node.optional(3), 0);
  const ValueId y = dequantized(node, node.in(4), node.in(5), node.optional(6), 0);
  const ValueId chosen = node.add(Op::Where, {node.in(0), x, y});
  return {quantized(node, chosen, node.in(7), node.optional(8), node.in(1))};
}
ValueIds qlinear_mul(Node& node) { return qlinear_binary(node, ElementwiseKind::Prod); }

ValueIds qlinear_sigmoid(Node& node) {
  return qlinear_activation(node, ActivationKind::Sigmoid, 0);
}

ValueIds qlinear_leaky_relu(Node& node) {
  return qlinear_activation(node, ActivationKind::LeakyRelu, node.real("alpha", 0.01f));
}

namespace {

/// The mean from a sum of whole numbers.
ValueIds whole_mean(Node& node, const ir::Ints& axes) {
  node.hold_integers();
  const ValueId x = whole(node, node.in(0), node.optional(2), 0);
  const ValueId sums = node.reduce(ir::ReduceKind::Sum, x, axes, true);
  const ValueId count = node.cast(
      node.binary(ElementwiseKind::Div, node.add(Op::Size, {x}), node.add(Op::Size, {sums})),
      ir::DataType::Float32);
  const ValueId unit = node.binary(ElementwiseKind::Div, node.in(1),
                                   node.binary(ElementwiseKind::Prod, node.in(3), count));
  return {to_integers(node, node.binary(ElementwiseKind::Prod, sums, unit), node.optional(4),
                      node.in(0))};
}

}  // namespace

ValueIds qlinear_global_average_pool(Node& node) {
  const bool channels_last = node.flag("channels_last", false);
  const int64_t rank = node.rank(node.in(0));
  ir::Ints axes;
  for (int64_t i = 1; i < rank; ++i)
    if (channels_last ? i < rank - 1 : i > 1) axes.push_back(i);
  if (is_whole(node, {{0}, 4})) return whole_mean(node, axes);
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  const ValueId mean = node.reduce(ir::ReduceKind::Mean, x, axes, true);
  return {quantized(node, mean, node.in(3), node.optional(4), node.in(0))};
}

ValueIds qlinear_concat(Node& node) {
  Places places = {{}, 1};
  for (size_t i = 2; i + 2 < node.input_count(); i += 3) places.operands.push_back(i);
  if (places.operands.empty()) fail("there is nothing to join");
  hold_asymmetric(node, places);
  ValueIds parts;
  for (const size_t i : places.operands)
    parts.push_back(dequantized(node, node.in(i), node.in(i + 1), node.optional(i + 2), 0));
  const int64_t axis = node.axis_in(node.required_integer("axis"), node.rank(parts[0]));
  return {quantized(node, node.concat(parts, axis), node.in(0), node.optional(1), node.in(2))};
}

ValueId add_integer_product(Node& node, const IntegerMatrix& a, const IntegerMatrix& b,
                            ValueId bias) {
  node.hold_integers();
  const ValueId sums =
      node.add(Op::MatMul, {centred(node, a.x, a.zero, true), centred(node, b.x, b.zero, false)});
  const ValueId unit = node.binary(ElementwiseKind::Prod, a.scale, b.scale);
  const ValueId product = node.binary(ElementwiseKind::Prod, sums, unit);
  if (bias == kNoValue) return product;
  return node.binary(ElementwiseKind::Sum, product, bias);
}

ValueIds matmul_integer_to_float(Node& node) {
  return {add_integer_product(node, {node.in(0), node.in(2), node.optional(4)},
                              {node.in(1), node.in(3), node.optional(5)}, node.optional(6))};
}

ValueIds dynamic_quantize_matmul(Node& node) {
  const ValueIds a = dynamic_quantize_linear(node);  // of input 0
  return {add_integer_product(node, {a[0], a[1], a[2]}, {node.in(1), node.in(2), node.optional(3)},
                              node.optional(4))};
}

ValueIds qgemm(Node& node) {
  node.hold_integers();
  ir::GemmAttributes attributes;
  attributes.transpose_a = node.flag("transA", false);
  attributes.transpose_b = node.flag("transB", false);
  const int64_t column = attributes.transpose_b ? 0 : 1;
  ValueIds inputs = {whole(node, node.in(0), node.optional(2), 0),
                     whole(node, node.in(3), node.optional(5), column)};
  if (node.has(6)) inputs.push_back(node.cast(node.in(6), ir::DataType::Float32));
  const ValueId sums = node.add(Op::Gemm, inputs, attributes);
  ValueId unit = node.binary(ElementwiseKind::Prod, node.in(1), node.in(4));
  if (const float alpha = node.real("alpha", 1); alpha != 1)
    unit = node.binary(ElementwiseKind::Prod, unit, node.number(alpha, unit));
  if (!node.has(7)) return {node.binary(ElementwiseKind::Prod, sums, unit)};
  unit = node.binary(ElementwiseKind::Div, unit, node.in(7));
  return {to_integers(node, node.binary(ElementwiseKind::Prod, sums, unit), node.optional(8),
                      node.in(0))};
}

ValueIds qlinear_average_pool(Node& node) {
  if (node.flag("channels_last", false)) fail("channels_last is 1; 0 is supported");
  hold_asymmetric(node, {{0}, 4});
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  return {quantized(node, add_average_pool(node, x), node.in(3), node.optional(4), node.in(0))};
}

ValueIds qlinear_softmax(Node& node) {
  hold_asymmetric(node, {{0}, 4});
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  ir::SoftmaxAttributes attributes;
  attributes.flatten = node.integer("opset", 13) < 13;
  attributes.axis = node.axis_in(node.integer("axis", attributes.flatten ? 1 : -1), node.rank(x));
  return {quantized(node, node.add(Op::Softmax, {x}, attributes), node.in(3), node.optional(4),
                    node.in(0))};
}

namespace {

/// An LSTM's weights [directions, terms, gates] as reals in the order of the standard one: a scale
/// and zero point for each direction, or for each of its gates' rows.
ValueId real_gates(Node& node, ValueId x, ValueId scale, ValueId zero) {
  const auto spread = [&](ValueId each) {
    return node.unsqueeze(each, node.rank(each) == 2 ? ir::Ints{1} : ir::Ints{1, 2});
  };
  ValueId real = node.cast(x, ir::DataType::Float32);
  if (zero != kNoValue)
    real = node.binary(ElementwiseKind::Sub, real, spread(node.cast(zero, ir::DataType::Float32)));
  return node.transpose(node.binary(ElementwiseKind::Prod, real, spread(scale)), {0, 2, 1});
}

}  // namespace

/// Its own inputs and states are not rounded to 8 bits, as ONNX Runtime does at every step.
ValueIds dynamic_quantize_lstm(Node& node) {
  ValueIds inputs = {node.in(0), real_gates(node, node.in(1), node.in(8), node.optional(9)),
                     real_gates(node, node.in(2), node.in(10), node.optional(11))};
  for (size_t i = 3; i < 8; ++i) inputs.push_back(node.optional(i));
  return add_lstm(node, std::move(inputs));
}

}  // namespace dlaexec::onnx
