// Elementwise ops and activations.
#include <cmath>
#include <limits>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// The second operand of an op of opset 1 to 6, which lines up with the first from "axis" on.
ValueId lined_up(Node& node, ValueId a, ValueId b) {
  if (node.opset() >= 7) return b;
  node.ignore("consumed_inputs");
  if (!node.flag("broadcast", false)) {
    node.ignore("axis");
    return b;
  }
  const int64_t rank = node.rank(a);
  const int64_t own = node.rank(b);
  const int64_t axis = node.axis_in(node.integer("axis", rank - own), rank + 1);
  ir::Ints trailing;
  for (int64_t i = own; i < rank - axis; ++i) trailing.push_back(i);
  return trailing.empty() ? b : node.unsqueeze(b, trailing);
}

ValueIds binary(Node& node, ElementwiseKind kind) {
  const ValueId a = node.in(0);
  return {node.binary(kind, a, lined_up(node, a, node.in(1)))};
}

ValueIds variadic(Node& node, ElementwiseKind kind) {
  node.ignore("consumed_inputs");
  ValueId result = node.in(0);
  for (size_t i = 1; i < node.input_count(); ++i) result = node.binary(kind, result, node.in(i));
  return {result};
}

ValueIds unary(Node& node, UnaryKind kind) {
  node.ignore("consumed_inputs");
  return {node.unary(kind, node.in(0))};
}

ValueIds activation(Node& node, ActivationKind kind, float alpha = 0, float beta = 0) {
  node.ignore("consumed_inputs");
  return {node.activation(kind, node.in(0), alpha, beta)};
}

}  // namespace

ValueIds add(Node& node) { return binary(node, ElementwiseKind::Sum); }
ValueIds sub(Node& node) { return binary(node, ElementwiseKind::Sub); }
ValueIds mul(Node& node) { return binary(node, ElementwiseKind::Prod); }
ValueIds div(Node& node) { return binary(node, ElementwiseKind::Div); }
ValueIds logical_and(Node& node) { return binary(node, ElementwiseKind::And); }
ValueIds logical_or(Node& node) { return binary(node, ElementwiseKind::Or); }
ValueIds logical_xor(Node& node) { return binary(node, ElementwiseKind::Xor); }
ValueIds equal(Node& node) { return binary(node, ElementwiseKind::Equal); }
ValueIds less(Node& node) { return binary(node, ElementwiseKind::Less); }
ValueIds greater(Node& node) { return binary(node, ElementwiseKind::Greater); }
ValueIds less_or_equal(Node& node) { return binary(node, ElementwiseKind::LessOrEqual); }
ValueIds greater_or_equal(Node& node) { return binary(node, ElementwiseKind::GreaterOrEqual); }
ValueIds bitwise_and(Node& node) { return binary(node, ElementwiseKind::BitwiseAnd); }
ValueIds bitwise_or(Node& node) { return binary(node, ElementwiseKind::BitwiseOr); }
ValueIds bitwise_xor(Node& node) { return binary(node, ElementwiseKind::BitwiseXor); }
ValueIds sum(Node& node) { return variadic(node, ElementwiseKind::Sum); }
ValueIds minimum(Node& node) { return variadic(node, ElementwiseKind::Min); }
ValueIds maximum(Node& node) { return variadic(node, ElementwiseKind::Max); }

ValueIds mean(Node& node) {
  const ValueId total = variadic(node, ElementwiseKind::Sum)[0];
  const auto count = static_cast<double>(node.input_count());
  return {node.binary(ElementwiseKind::Div, total, node.number(count, total))};
}

ValueIds pow(Node& node) {
  const ValueId base = node.in(0);
  const ValueId exponent = lined_up(node, base, node.in(1));
  const ir::DataType type = node.type_of(base);
  if (node.type_of(exponent) == type) return {node.binary(ElementwiseKind::Pow, base, exponent)};
  if (ir::is_float(type) || !ir::is_float(node.type_of(exponent)))
    return {node.binary(ElementwiseKind::Pow, base, node.cast(exponent, type))};
  const ValueId power = node.binary(ElementwiseKind::Pow, node.cast(base, ir::DataType::Float32),
                                    node.cast(exponent, ir::DataType::Float32));
  return {node.cast(power, type)};
}

ValueIds mod(Node& node) {
  return binary(node, node.flag("fmod", false) ? ElementwiseKind::Fmod : ElementwiseKind::Mod);
}

ValueIds bit_shift(Node& node) {
  const std::string direction = node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    fail("direction is '{}'; LEFT and RIGHT are allowed", direction);
  return binary(node,
                direction == "LEFT" ? ElementwiseKind::ShiftLeft : ElementwiseKind::ShiftRight);
}

ValueIds where(Node& node) { return {node.add(Op::Where, {node.in(0), node.in(1), node.in(2)})}; }

ValueIds exp(Node& node) { return unary(node, UnaryKind::Exp); }
ValueIds log(Node& node) { return unary(node, UnaryKind::Log); }
ValueIds sqrt(Node& node) { return unary(node, UnaryKind::Sqrt); }
ValueIds reciprocal(Node& node) { return unary(node, UnaryKind::Reciprocal); }
ValueIds absolute(Node& node) { return unary(node, UnaryKind::Abs); }
ValueIds negative(Node& node) { return unary(node, UnaryKind::Neg); }
ValueIds sin(Node& node) { return unary(node, UnaryKind::Sin); }
ValueIds cos(Node& node) { return unary(node, UnaryKind::Cos); }
ValueIds tan(Node& node) { return unary(node, UnaryKind::Tan); }
ValueIds sinh(Node& node) { return unary(node, UnaryKind::Sinh); }
ValueIds cosh(Node& node) { return unary(node, UnaryKind::Cosh); }
ValueIds asin(Node& node) { return unary(node, UnaryKind::Asin); }
ValueIds acos(Node& node) { return unary(node, UnaryKind::Acos); }
ValueIds atan(Node& node) { return unary(node, UnaryKind::Atan); }
ValueIds asinh(Node& node) { return unary(node, UnaryKind::Asinh); }
ValueIds acosh(Node& node) { return unary(node, UnaryKind::Acosh); }
ValueIds atanh(Node& node) { return unary(node, UnaryKind::Atanh); }
ValueIds ceil(Node& node) { return unary(node, UnaryKind::Ceil); }
ValueIds floor(Node& node) { return unary(node, UnaryKind::Floor); }
ValueIds round(Node& node) { return unary(node, UnaryKind::Round); }
ValueIds sign(Node& node) { return unary(node, UnaryKind::Sign); }
ValueIds erf(Node& node) { return unary(node, UnaryKind::Erf); }
ValueIds logical_not(Node& node) { return unary(node, UnaryKind::Not); }
ValueIds bitwise_not(Node& node) { return unary(node, UnaryKind::BitwiseNot); }
ValueIds is_nan(Node& node) { return unary(node, UnaryKind::IsNan); }

ValueIds is_inf(Node& node) {
  ir::UnaryAttributes attributes;
  attributes.kind = UnaryKind::IsInf;
  attributes.detect_negative = node.flag("detect_negative", true);
  attributes.detect_positive = node.flag("detect_positive", true);
  return {node.add(Op::Unary, {node.in(0)}, attributes)};
}

ValueIds relu(Node& node) { return activation(node, ActivationKind::Relu); }
ValueIds sigmoid(Node& node) { return activation(node, ActivationKind::Sigmoid); }
ValueIds tanh(Node& node) { return activation(node, ActivationKind::Tanh); }
ValueIds softplus(Node& node) { return activation(node, ActivationKind::Softplus); }
ValueIds softsign(Node& node) { return activation(node, ActivationKind::Softsign); }
ValueIds hard_swish(Node& node) { return activation(node, ActivationKind::HardSwish); }
ValueIds mish(Node& node) { return activation(node, ActivationKind::Mish); }

ValueIds leaky_relu(Node& node) {
  return activation(node, ActivationKind::LeakyRelu, node.real("alpha", 0.01f));
}
ValueIds elu(Node& node) { return activation(node, ActivationKind::Elu, node.real("alpha", 1)); }
ValueIds celu(Node& node) { return activation(node, ActivationKind::Celu, node.real("alpha", 1)); }

ValueIds quick_gelu(Node& node) {
  return activation(node, ActivationKind::Silu, node.real("alpha", 1.702f));
}

ValueIds selu(Node& node) {
  const bool old = node.opset() < 6;
  return activation(node, ActivationKind::Selu, node.real("alpha", old ? 1.6732f : 1.67326319f),
                    node.real("gamma", old ? 1.0507f : 1.05070102f));
}

ValueIds hard_sigmoid(Node& node) {
  return activation(node, ActivationKind::HardSigmoid, node.real("alpha", 0.2f),
                    node.real("beta", 0.5f));
}

ValueIds thresholded_relu(Node& node) {
  return activation(node, ActivationKind::ThresholdedRelu, node.real("alpha", 1));
}

ValueIds shrink(Node& node) {
  return activation(node, ActivationKind::Shrink, node.real("lambd", 0.5f), node.real("bias", 0));
}

ValueIds gelu(Node& node) {
  const std::string kind = node.text("approximate", "none");
  if (kind != "none" && kind != "tanh")
    fail("approximate is '{}'; none and tanh are allowed", kind);
  return activation(node, kind == "tanh" ? ActivationKind::GeluTanh : ActivationKind::GeluErf);
}

/// com.microsoft: an optional bias, then the tanh form.
ValueIds fast_gelu(Node& node) {
  ValueId x = node.in(0);
  if (node.has(1)) x = node.binary(ElementwiseKind::Sum, x, node.in(1));
  return {node.activation(ActivationKind::GeluTanh, x)};
}

ValueIds bias_gelu(Node& node) {
  const ValueId x = node.binary(ElementwiseKind::Sum, node.in(0), node.in(1));
  return {node.activation(ActivationKind::GeluErf, x)};
}

ValueIds prelu(Node& node) {
  const ValueId x = node.in(0);
  ValueId slope = node.in(1);
  node.ignore("consumed_inputs");
  // Before opset 7 the slope is one a channel, whatever the rank.
  const int64_t trailing = node.rank(x) - 2;
  if (node.opset() < 7 && node.rank(slope) == 1 && trailing > 0 &&
      node.shape(slope)[0] != ir::Dim(1)) {
    ir::Ints axes;
    for (int64_t i = 1; i <= trailing; ++i) axes.push_back(i);
    slope = node.unsqueeze(slope, axes);
  }
  return {node.add(Op::PRelu, {x, slope})};
}

namespace {

/// A bound that is one known number, or nothing.
std::optional<float> known_bound(Node& node, size_t input, float otherwise) {
  if (!node.has(input)) return otherwise;
  const ir::Tensor* bound = node.constant(node.in(input));
  if (bound == nullptr || bound->count() != 1) return std::nullopt;
  return bound->to_floats()[0];
}

}  // namespace

ValueIds clip(Node& node) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  constexpr float kHighest = std::numeric_limits<float>::max();
  if (node.opset() < 11)
    return activation(node, ActivationKind::Clip, node.real("min", kLowest),
                      node.real("max", kHighest));
  const ValueId x = node.in(0);
  const auto low = known_bound(node, 1, kLowest);
  const auto high = known_bound(node, 2, kHighest);
  if (low && high && ir::is_float(node.type_of(x)))
    return {node.activation(ActivationKind::Clip, x, *low, *high)};
  ValueId result = x;
  if (node.has(1)) result = node.binary(ElementwiseKind::Max, result, node.in(1));
  if (node.has(2)) result = node.binary(ElementwiseKind::Min, result, node.in(2));
  return {result};
}

ValueIds cast(Node& node) {
  node.ignore("saturate");  // of 8-bit floats, which are not supported
  node.ignore("round_mode");
  const ir::DataType to = node.type("to", ir::DataType::Float32);
  return {node.add(Op::Cast, {node.in(0)}, ir::CastAttributes{to})};
}

ValueIds cast_like(Node& node) {
  node.ignore("saturate");
  node.ignore("round_mode");
  return {node.add(Op::Cast, {node.in(0)}, ir::CastAttributes{node.type_of(node.in(1))})};
}

ValueIds identity(Node& node) { return {node.add(Op::Identity, {node.in(0)})}; }

ValueIds dropout(Node& node) {
  for (const char* name : {"ratio", "seed", "is_test", "consumed_inputs"}) node.ignore(name);
  const auto training = node.known(node.optional(2));
  if (node.has(2) && (!training || training->empty() || (*training)[0] != 0)) {
    const ir::Tensor* ratio = node.constant(node.optional(1));
    if (ratio == nullptr || ratio->count() != 1 || ratio->to_floats()[0] != 0)
      fail("training_mode is true; this is for inference");
  }
  const ValueId x = node.in(0);
  ValueIds results = {node.add(Op::Identity, {x})};
  if (!node.wants(1)) return results;
  ir::ConstantOfShapeAttributes all;
  all.type = node.opset() < 10 ? node.type_of(x) : ir::DataType::Bool;
  all.value = 1;
  results.push_back(node.add(Op::ConstantOfShape, {node.shape_of(x)}, all));
  return results;
}

// Experimental operators of the first converters (CoreML and Caffe2), still found in model zoos.

ValueIds affine(Node& node) {
  const ValueId x = node.in(0);
  return {node.add(
      Op::Scale, {x, node.number(node.real("alpha", 1), x), node.number(node.real("beta", 0), x)})};
}

ValueIds image_scaler(Node& node) {
  const ValueId x = node.in(0);
  const ir::Floats bias = node.reals("bias");
  const auto count = static_cast<int64_t>(bias.size());
  const ValueId shift =
      node.constant(ir::Tensor::of<float>({count}, bias).converted(node.type_of(x)));
  return {node.add(Op::Scale, {x, node.number(node.real("scale", 1), x), shift})};
}

ValueIds scaled_tanh(Node& node) {
  const ValueId x = node.in(0);
  const float alpha = node.real("alpha", 1);
  const ValueId inner = node.binary(ElementwiseKind::Prod, x, node.number(node.real("beta", 1), x));
  return {node.binary(ElementwiseKind::Prod, node.activation(ActivationKind::Tanh, inner),
                      node.number(alpha, x))};
}

ValueIds parametric_softplus(Node& node) {
  const ValueId x = node.in(0);
  const float alpha = node.real("alpha", 1);
  const ValueId inner = node.binary(ElementwiseKind::Prod, x, node.number(node.real("beta", 1), x));
  return {node.binary(ElementwiseKind::Prod, node.activation(ActivationKind::Softplus, inner),
                      node.number(alpha, x))};
}

}  // namespace dlaexec::onnx
