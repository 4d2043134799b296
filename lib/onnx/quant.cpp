// Quantized operators. Those that compute in integers are written as dequantize, op, quantize,
// which is what they mean and what the quantizer recognizes.
#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// x as reals; @p axis is where several scales belong.
ValueId dequantized(Node& node, ValueId x, ValueId scale, ValueId zero, int64_t axis) {
  ir::QuantizeAttributes attributes;
  attributes.axis = axis;
  attributes.to = node.type_of(scale);
  ValueIds inputs = {x, scale};
  if (zero != kNoValue) inputs.push_back(zero);
  return node.add(Op::Dequantize, inputs, attributes);
}

ValueId quantized(Node& node, ValueId x, ValueId scale, ValueId zero, int64_t axis = 1) {
  ir::QuantizeAttributes attributes;
  attributes.axis = axis;
  attributes.to = zero == kNoValue ? ir::DataType::UInt8 : node.type_of(zero);
  ValueIds inputs = {x, scale};
  if (zero != kNoValue) inputs.push_back(zero);
  return node.add(Op::Quantize, inputs, attributes);
}

bool is_one_number(Node& node, ValueId id) {
  const ir::Shape& shape = node.shape(id);
  return shape.empty() || (shape.size() == 1 && shape[0] == ir::Dim(1));
}

void require_integers(Node& node, ir::DataType type) {
  if (type != ir::DataType::Int8 && type != ir::DataType::UInt8)
    fail("'{}' quantizes to {}; i8 and u8 are supported", node.name(), text(type));
}

}  // namespace

ValueIds quantize_linear(Node& node) {
  ir::QuantizeAttributes attributes;
  const ValueId x = node.in(0);
  const ValueId scale = node.in(1);
  attributes.block = node.integer("block_size", 0);
  attributes.to =
      node.type("output_dtype", node.has(2) ? node.type_of(node.in(2)) : ir::DataType::UInt8);
  if (node.has(2)) attributes.to = node.type_of(node.in(2));
  require_integers(node, attributes.to);
  node.ignore("saturate");
  node.ignore("precision");
  const int64_t axis = node.integer("axis", 1);
  attributes.axis = is_one_number(node, scale) ? 0 : node.axis_in(axis, node.rank(x));
  if (attributes.block < 0) fail("block_size is {}", attributes.block);
  ValueIds inputs = {x, scale};
  if (node.has(2)) inputs.push_back(node.in(2));
  return {node.add(Op::Quantize, inputs, attributes)};
}

ValueIds dequantize_linear(Node& node) {
  ir::QuantizeAttributes attributes;
  const ValueId x = node.in(0);
  const ValueId scale = node.in(1);
  attributes.block = node.integer("block_size", 0);
  const int64_t axis = node.integer("axis", 1);
  attributes.axis =
      is_one_number(node, scale) && attributes.block == 0 ? 0 : node.axis_in(axis, node.rank(x));
  attributes.to = node.type_of(scale);
  ValueIds inputs = {x, scale};
  if (node.has(2)) inputs.push_back(node.in(2));
  const ValueId y = node.add(Op::Dequantize, inputs, attributes);
  return {node.cast(y, node.type("output_dtype", node.type_of(scale)))};
}

ValueIds dynamic_quantize_linear(Node& node) {
  const ValueId x = node.in(0);
  ir::Ints axes;
  for (int64_t i = 0; i < node.rank(x); ++i) axes.push_back(i);
  const ValueId zero = node.number(0, x);
  const ValueId high =
      node.binary(ElementwiseKind::Max, node.reduce(ir::ReduceKind::Max, x, axes, false), zero);
  const ValueId low =
      node.binary(ElementwiseKind::Min, node.reduce(ir::ReduceKind::Min, x, axes, false), zero);
  const ValueId range = node.binary(ElementwiseKind::Sub, high, low);
  const ValueId scale = node.binary(ElementwiseKind::Div, range, node.number(255, range));
  const ValueId shift = node.unary(UnaryKind::Neg, node.binary(ElementwiseKind::Div, low, scale));
  const ValueId rounded =
      node.unary(UnaryKind::Round, node.activation(ActivationKind::Clip, shift, 0, 255));
  const ValueId zero_point = node.cast(rounded, ir::DataType::UInt8);
  return {quantized(node, x, scale, zero_point), scale, zero_point};
}

namespace {

/// An integer operand minus its zero point, in f32, where the sums of a product are exact.
ValueId centred(Node& node, ValueId x, ValueId zero, bool per_row) {
  const ValueId real = node.cast(x, ir::DataType::Float32);
  if (zero == kNoValue) return real;
  ValueId shift = node.cast(zero, ir::DataType::Float32);
  if (per_row && node.rank(shift) == 1 && node.shape(shift)[0] != ir::Dim(1))
    shift = node.unsqueeze(shift, {1});
  return node.binary(ElementwiseKind::Sub, real, shift);
}

}  // namespace

ValueIds matmul_integer(Node& node) {
  const ValueId a = centred(node, node.in(0), node.optional(2), true);
  const ValueId b = centred(node, node.in(1), node.optional(3), false);
  return {node.cast(node.add(Op::MatMul, {a, b}), ir::DataType::Int32)};
}

ValueIds qlinear_matmul(Node& node) {
  const ValueId a = node.in(0);
  const ValueId b = node.in(3);
  const ValueId left = dequantized(node, a, node.in(1), node.in(2), node.rank(a) - 2);
  const ValueId right = dequantized(node, b, node.in(4), node.in(5), node.rank(b) - 1);
  return {quantized(node, node.add(Op::MatMul, {left, right}), node.in(6), node.in(7))};
}

ValueIds conv_integer(Node& node) {
  const ValueId x = centred(node, node.in(0), node.optional(2), false);
  ValueId zero = node.optional(3);
  if (zero != kNoValue && node.rank(zero) == 1 && node.shape(zero)[0] != ir::Dim(1)) {
    ir::Ints axes;  // one a kernel: [K, 1, 1, ...]
    for (int64_t i = 1; i < node.rank(node.in(1)); ++i) axes.push_back(i);
    zero = node.unsqueeze(zero, axes);
  }
  const ValueId w = centred(node, node.in(1), zero, false);
  return {node.cast(add_conv(node, x, w, kNoValue), ir::DataType::Int32)};
}

ValueIds qlinear_conv(Node& node) {
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.in(2), 1);
  const ValueId w = dequantized(node, node.in(3), node.in(4), node.in(5), 0);
  ValueId bias = kNoValue;
  if (node.has(8)) {  // i32 in units of the two scales' product
    const ValueId unit = node.binary(ElementwiseKind::Prod, node.in(1), node.in(4));
    bias = dequantized(node, node.in(8), unit, kNoValue, 0);
  }
  return {quantized(node, add_conv(node, x, w, bias), node.in(6), node.in(7))};
}

// com.microsoft: the same pattern around other ops.

namespace {

ValueIds qlinear_binary(Node& node, ElementwiseKind kind) {
  const ValueId a = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  const ValueId b = dequantized(node, node.in(3), node.in(4), node.optional(5), 0);
  return {quantized(node, node.binary(kind, a, b), node.in(6), node.optional(7))};
}

ValueIds qlinear_activation(Node& node, ActivationKind kind, float alpha) {
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  return {quantized(node, node.activation(kind, x, alpha), node.in(3), node.optional(4))};
}

}  // namespace

ValueIds qlinear_add(Node& node) { return qlinear_binary(node, ElementwiseKind::Sum); }
ValueIds qlinear_mul(Node& node) { return qlinear_binary(node, ElementwiseKind::Prod); }

ValueIds qlinear_sigmoid(Node& node) {
  return qlinear_activation(node, ActivationKind::Sigmoid, 0);
}

ValueIds qlinear_leaky_relu(Node& node) {
  return qlinear_activation(node, ActivationKind::LeakyRelu, node.real("alpha", 0.01f));
}

ValueIds qlinear_global_average_pool(Node& node) {
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.optional(2), 0);
  const bool channels_last = node.flag("channels_last", false);
  ir::Ints axes;
  for (int64_t i = 1; i < node.rank(x); ++i)
    if (channels_last ? i < node.rank(x) - 1 : i > 1) axes.push_back(i);
  const ValueId mean = node.reduce(ir::ReduceKind::Mean, x, axes, true);
  return {quantized(node, mean, node.in(3), node.optional(4))};
}

ValueIds qlinear_concat(Node& node) {
  ValueIds parts;
  for (size_t i = 2; i + 2 < node.input_count(); i += 3)
    parts.push_back(dequantized(node, node.in(i), node.in(i + 1), node.optional(i + 2), 0));
  if (parts.empty()) fail("there is nothing to join");
  const int64_t axis = node.axis_in(node.required_integer("axis"), node.rank(parts[0]));
  return {quantized(node, node.concat(parts, axis), node.in(0), node.optional(1))};
}

}  // namespace dlaexec::onnx
