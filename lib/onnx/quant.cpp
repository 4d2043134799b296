// Quantized operators. Those that compute in integers are written as dequantize, op, quantize:
// where integers are symmetric, with their scales, which the quantizer recognizes; else in whole
// numbers, whose sums floats hold exactly below 2^24, so that every rounding is the operator's own.
// Sums of more than 518 products of u8 and i8 may lie beyond if all are large; they are rounded to
// 24 bits, less than a millionth, which only a result halfway between two integers can show.
#include "onnx/quant.h"

#include <algorithm>

namespace dlaexec::onnx {

ValueId dequantized(Node& node, ValueId x, ValueId scale, ValueId zero, int64_t axis) {
  ir::QuantizeAttributes attributes;
  attributes.axis = axis;
  attributes.to = node.type_of(scale);
  ValueIds inputs = {x, scale};
  if (zero != kNoValue) inputs.push_back(zero);
  return node.add(Op::Dequantize, inputs, attributes);
}

ValueId quantized(Node& node, ValueId x, ValueId scale, ValueId zero, ValueId operand) {
  ir::QuantizeAttributes attributes;
  attributes.to = node.type_of(zero == kNoValue ? operand : zero);
  ValueIds inputs = {x, scale};
  if (zero != kNoValue) inputs.push_back(zero);
  return node.add(Op::Quantize, inputs, attributes);
}

namespace {

bool is_one_number(Node& node, ValueId id) {
  const ir::Shape& shape = node.shape(id);
  return shape.empty() || (shape.size() == 1 && shape[0] == ir::Dim(1));
}

/// Whether a zero point is a constant of zeros in Int8, or absent.
bool is_zero(Node& node, ValueId zero) {
  if (zero == kNoValue) return true;
  const ir::Tensor* points = node.constant(zero);
  if (!points || points->type() != ir::DataType::Int8) return false;
  const std::vector<int64_t> all = points->to_ints();
  return std::all_of(all.begin(), all.end(), [](int64_t point) { return point == 0; });
}

/// Whether operands and result are what hardware for INT8 computes with: Int8 without zero points.
bool is_symmetric(Node& node, const Places& places) {
  for (const size_t operand : places.operands)
    if (node.type_of(node.in(operand)) != ir::DataType::Int8 ||
        !is_zero(node, node.optional(operand + 2)))
      return false;
  return is_zero(node, node.optional(places.result_zero));
}

}  // namespace

bool is_whole(Node& node, const Places& places) {
  return node.type_of(node.in(places.operands[0] + 1)) == ir::DataType::Float32 &&
         !is_symmetric(node, places);
}

void hold_asymmetric(Node& node, const Places& places) {
  if (!is_symmetric(node, places)) node.hold_integers();
}

ValueId whole(Node& node, ValueId x, ValueId zero, int64_t axis) {
  constexpr int64_t kMostPoints = int64_t{1} << 24;  // one a channel
  const ir::Shape shape = zero == kNoValue ? ir::Shape{} : node.shape(zero);
  if (!ir::is_static(shape) || ir::volume(ir::dims_of(shape)) > kMostPoints)
    fail("the zero points have shape {}; known dimensions and at most {} of them are needed",
         ir::to_text(shape), kMostPoints);
  const ir::Dims dims = ir::dims_of(shape);
  const auto count = static_cast<size_t>(ir::volume(dims));
  const ValueId one = node.constant(ir::Tensor::of<float>(dims, std::vector<float>(count, 1)));
  return dequantized(node, x, one, zero, axis);
}

ValueId to_integers(Node& node, ValueId x, ValueId zero, ValueId operand) {
  return quantized(node, x, node.number(1, x), zero, operand);
}

namespace {

/// The result of a product of whole numbers, from its sums: scales of the operands multiplied,
/// divided by that of the result. @p axes are those of the result behind the one that several
/// scales belong to.
ValueId requantized(Node& node, ValueId sums, const ir::Ints& axes) {
  ValueId unit = node.binary(ElementwiseKind::Prod, node.in(1), node.in(4));
  unit = node.binary(ElementwiseKind::Div, unit, node.in(6));
  if (!is_one_number(node, unit) && !axes.empty()) unit = node.unsqueeze(unit, axes);
  return to_integers(node, node.binary(ElementwiseKind::Prod, sums, unit), node.in(7), node.in(0));
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
  node.hold_integers();
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
  return {quantized(node, x, scale, zero_point, zero_point), scale, zero_point};
}

ValueId centred(Node& node, ValueId x, ValueId zero, bool per_row) {
  const ValueId real = node.cast(x, ir::DataType::Float32);
  if (zero == kNoValue) return real;
  ValueId shift = node.cast(zero, ir::DataType::Float32);
  if (per_row && node.rank(shift) == 1 && node.shape(shift)[0] != ir::Dim(1))
    shift = node.unsqueeze(shift, {1});
  return node.binary(ElementwiseKind::Sub, real, shift);
}

ValueIds matmul_integer(Node& node) {
  node.hold_integers();
  const ValueId a = centred(node, node.in(0), node.optional(2), true);
  const ValueId b = centred(node, node.in(1), node.optional(3), false);
  return {node.cast(node.add(Op::MatMul, {a, b}), ir::DataType::Int32)};
}

ValueIds qlinear_matmul(Node& node) {
  const ValueId a = node.in(0);
  const ValueId b = node.in(3);
  if (is_whole(node, {{0, 3}, 7}) && is_one_number(node, node.in(1))) {
    node.hold_integers();
    const ValueId sums = node.add(
        Op::MatMul, {whole(node, a, node.in(2), 0), whole(node, b, node.in(5), node.rank(b) - 1)});
    return {requantized(node, sums, {})};
  }
  const ValueId left = dequantized(node, a, node.in(1), node.in(2), node.rank(a) - 2);
  const ValueId right = dequantized(node, b, node.in(4), node.in(5), node.rank(b) - 1);
  return {quantized(node, node.add(Op::MatMul, {left, right}), node.in(6), node.in(7), node.in(0))};
}

ValueIds conv_integer(Node& node) {
  node.hold_integers();
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

namespace {

/// A convolution in whole numbers, whose sums are scaled and rounded at the end.
ValueIds whole_conv(Node& node) {
  node.hold_integers();
  ValueId bias = node.optional(8);
  if (bias != kNoValue) bias = node.cast(bias, ir::DataType::Float32);
  const ValueId x = whole(node, node.in(0), node.in(2), 1);
  const ValueId w = whole(node, node.in(3), node.in(5), 0);
  ir::Ints spatial;
  for (int64_t i = 1; i + 1 < node.rank(x); ++i) spatial.push_back(i);
  return {requantized(node, add_conv(node, x, w, bias), spatial)};
}

}  // namespace

ValueIds qlinear_conv(Node& node) {
  if (is_whole(node, {{0, 3}, 7})) return whole_conv(node);
  const ValueId x = dequantized(node, node.in(0), node.in(1), node.in(2), 1);
  const ValueId w = dequantized(node, node.in(3), node.in(4), node.in(5), 0);
  ValueId bias = kNoValue;
  if (node.has(8)) {  // i32 in units of the two scales' product
    const ValueId unit = node.binary(ElementwiseKind::Prod, node.in(1), node.in(4));
    bias = dequantized(node, node.in(8), unit, kNoValue, 0);
  }
  return {quantized(node, add_conv(node, x, w, bias), node.in(6), node.in(7), node.in(0))};
}

}  // namespace dlaexec::onnx
