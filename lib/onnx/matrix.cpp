// Matrix products, normalization, recurrence and control flow.
#include <algorithm>
#include <numeric>

#include "onnx/operators.h"

namespace dlaexec::onnx {

ValueIds gemm(Node& node) {
  node.ignore("broadcast");  // before opset 7; what it allows is allowed anyway
  ir::GemmAttributes attributes;
  attributes.transpose_a = node.flag("transA", false);
  attributes.transpose_b = node.flag("transB", false);
  attributes.scale_ab = node.real("alpha", 1);
  attributes.scale_c = node.real("beta", 1);
  ValueIds inputs = {node.in(0), node.in(1)};
  if (node.has(2)) inputs.push_back(node.in(2));
  return {node.add(Op::Gemm, inputs, attributes)};
}

ValueIds matmul(Node& node) { return {node.add(Op::MatMul, {node.in(0), node.in(1)})}; }

/// com.microsoft: transposes the operands and scales.
ValueIds fused_matmul(Node& node) {
  const auto turned = [&](size_t input, const char* batch, const char* last_two) {
    const ValueId x = node.in(input);
    const int64_t rank = node.rank(x);
    const bool moves_first = node.flag(batch, false) && rank > 2;
    const bool swaps = node.flag(last_two, false) && rank > 1;
    if (!moves_first && !swaps) return x;
    ir::Ints perm(static_cast<size_t>(rank));
    std::iota(perm.begin(), perm.end(), 0);
    // The first dimension goes behind those of the batch.
    if (moves_first) std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
    if (swaps) std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    return node.transpose(x, perm);
  };
  const ValueId y = node.add(
      Op::MatMul, {turned(0, "transBatchA", "transA"), turned(1, "transBatchB", "transB")});
  const float alpha = node.real("alpha", 1);
  if (alpha == 1) return {y};
  return {node.binary(ElementwiseKind::Prod, y, node.number(alpha, y))};
}

ValueIds einsum(Node& node) {
  ValueIds inputs;
  for (size_t i = 0; i < node.input_count(); ++i) inputs.push_back(node.in(i));
  return {node.add(Op::Einsum, inputs, ir::EinsumAttributes{node.text("equation", "")})};
}

ValueIds det(Node& node) { return {node.add(Op::Det, {node.in(0)})}; }

namespace {

/// Training statistics: the mean and variance of the batch, and the running ones moved towards
/// them.
ValueIds train_batch_norm(Node& node, float epsilon, float momentum) {
  const ValueId x = node.in(0);
  ir::Ints axes;
  for (int64_t i = 0; i < node.rank(x); ++i)
    if (i != 1) axes.push_back(i);
  const ValueId mean = node.reduce(ir::ReduceKind::Mean, x, axes, true);
  const ValueId centred = node.binary(ElementwiseKind::Sub, x, mean);
  const ValueId variance = node.reduce(
      ir::ReduceKind::Mean, node.binary(ElementwiseKind::Prod, centred, centred), axes, false);
  const ValueId flat_mean = node.squeeze(mean, axes);
  const auto moved = [&](ValueId running, ValueId batch) {
    const ValueId old = node.binary(ElementwiseKind::Prod, running, node.number(momentum, running));
    const ValueId fresh =
        node.binary(ElementwiseKind::Prod, batch, node.number(1 - momentum, batch));
    return node.binary(ElementwiseKind::Sum, old, fresh);
  };
  ValueIds results = {node.add(Op::BatchNorm, {x, node.in(1), node.in(2), flat_mean, variance},
                               ir::BatchNormAttributes{epsilon})};
  results.push_back(node.wants(1) ? moved(node.in(3), flat_mean) : kNoValue);
  results.push_back(node.wants(2) ? moved(node.in(4), variance) : kNoValue);
  return results;
}

}  // namespace

ValueIds batch_norm(Node& node) {
  node.ignore("is_test");
  node.ignore("consumed_inputs");
  const float epsilon = node.real("epsilon", 1e-5f);
  const float momentum = node.real("momentum", 0.9f);
  if (node.integer("spatial", 1) != 1) fail("spatial is 0; statistics per channel are supported");
  if (node.opset() >= 14 && node.flag("training_mode", false))
    return train_batch_norm(node, epsilon, momentum);
  if (node.rank(node.in(0)) < 1) fail("the input is a scalar");
  return {node.add(Op::BatchNorm, {node.in(0), node.in(1), node.in(2), node.in(3), node.in(4)},
                   ir::BatchNormAttributes{epsilon})};
}

ValueIds lrn(Node& node) {
  ir::LrnAttributes attributes;
  attributes.size = node.required_integer("size");
  attributes.alpha = node.real("alpha", 1e-4f);
  attributes.beta = node.real("beta", 0.75f);
  attributes.bias = node.real("bias", 1);
  if (attributes.size < 1 || node.rank(node.in(0)) < 3)
    fail("size is {} and the input has {} dimensions; 1 or more and 3 or more are needed",
         attributes.size, node.rank(node.in(0)));
  return {node.add(Op::Lrn, {node.in(0)}, attributes)};
}

ValueIds instance_norm(Node& node) {
  node.ignore("consumed_inputs");
  ir::NormAttributes attributes;
  attributes.epsilon = node.real("epsilon", 1e-5f);
  return {node.add(Op::InstanceNorm, {node.in(0), node.in(1), node.in(2)}, attributes)};
}

ValueIds group_norm(Node& node) {
  const ValueId x = node.in(0);
  ir::NormAttributes attributes;
  attributes.groups = node.required_integer("num_groups");
  attributes.epsilon = node.real("epsilon", 1e-5f);
  node.ignore("stash_type");
  const ir::Dim& channels = node.rank(x) < 2 ? ir::Dim(0) : node.shape(x)[1];
  if (!channels.is_known() || attributes.groups < 1 || channels.value % attributes.groups != 0)
    fail("num_groups is {}; it must divide the known number of channels", attributes.groups);
  const auto per_channel = [&](ValueId parameter) {
    if (node.opset() >= 21) return parameter;
    // Opset 18 has one value a group.
    const int64_t each = channels.value / attributes.groups;
    const ValueId column = node.unsqueeze(parameter, {1});
    const ValueId wide =
        node.add(Op::Expand, {column, node.ints_constant({attributes.groups, each})});
    return node.reshape(wide, {-1});
  };
  const ValueId scale = per_channel(node.in(1));
  const ValueId bias = per_channel(node.in(2));
  return {node.add(Op::GroupNorm, {x, scale, bias}, attributes)};
}

ValueIds layer_norm(Node& node) {
  const ValueId x = node.in(0);
  ir::NormAttributes attributes;
  attributes.axis = node.axis_in(node.integer("axis", -1), node.rank(x));
  attributes.epsilon = node.real("epsilon", 1e-5f);
  node.ignore("stash_type");
  ValueIds inputs = {x, node.in(1)};
  if (node.has(2)) inputs.push_back(node.in(2));
  ValueIds results = {node.add(Op::LayerNorm, inputs, attributes)};
  if (!node.wants(1) && !node.wants(2)) return results;
  ir::Ints axes;
  for (int64_t i = attributes.axis; i < node.rank(x); ++i) axes.push_back(i);
  const ValueId real = node.cast(x, ir::DataType::Float32);
  const ValueId mean = node.reduce(ir::ReduceKind::Mean, real, axes, true);
  const ValueId centred = node.binary(ElementwiseKind::Sub, real, mean);
  const ValueId variance = node.reduce(
      ir::ReduceKind::Mean, node.binary(ElementwiseKind::Prod, centred, centred), axes, true);
  const ValueId shifted =
      node.binary(ElementwiseKind::Sum, variance, node.number(attributes.epsilon, variance));
  const ValueId deviation = node.unary(UnaryKind::Sqrt, shifted);
  results.push_back(mean);
  results.push_back(node.unary(UnaryKind::Reciprocal, deviation));
  return results;
}

ValueIds rms_norm(Node& node) {
  ir::NormAttributes attributes;
  attributes.axis = node.axis_in(node.integer("axis", -1), node.rank(node.in(0)));
  attributes.epsilon = node.real("epsilon", 1e-5f);
  node.ignore("stash_type");
  return {node.add(Op::RmsNorm, {node.in(0), node.in(1)}, attributes)};
}

ValueIds lp_norm(Node& node) {
  ir::NormAttributes attributes;
  attributes.axis = node.axis_in(node.integer("axis", -1), node.rank(node.in(0)));
  attributes.p = node.integer("p", 2);
  if (attributes.p != 1 && attributes.p != 2) fail("p is {}; 1 and 2 are allowed", attributes.p);
  return {node.add(Op::LpNorm, {node.in(0)}, attributes)};
}

ValueIds mean_variance_norm(Node& node) {
  const ValueId x = node.in(0);
  ir::Ints axes = node.ints("axes", {0, 2, 3});
  for (int64_t& axis : axes) axis = node.axis_in(axis, node.rank(x));
  std::sort(axes.begin(), axes.end());
  const ValueId mean = node.reduce(ir::ReduceKind::Mean, x, axes, true);
  const ValueId centred = node.binary(ElementwiseKind::Sub, x, mean);
  const ValueId variance = node.reduce(
      ir::ReduceKind::Mean, node.binary(ElementwiseKind::Prod, centred, centred), axes, true);
  const ValueId deviation = node.unary(UnaryKind::Sqrt, variance);
  const ValueId divisor =
      node.binary(ElementwiseKind::Sum, deviation, node.number(1e-9, deviation));
  return {node.binary(ElementwiseKind::Div, centred, divisor)};
}

namespace {

/// @p inputs as ONNX gives them; the first three are there.
ValueIds recurrence(Node& node, Op op, ValueIds inputs) {
  ir::RecurrentAttributes attributes;
  const std::string direction = node.text("direction", "forward");
  const auto parsed = ir::parse_enum<ir::RecurrentDirection>(direction);
  if (!parsed) fail("direction is '{}'; forward, reverse and bidirectional are allowed", direction);
  attributes.direction = *parsed;
  attributes.activations = node.texts("activations");
  attributes.activation_alpha = node.reals("activation_alpha");
  attributes.activation_beta = node.reals("activation_beta");
  attributes.clip = node.real("clip", 0);
  attributes.batch_first = node.integer("layout", 0) != 0;
  attributes.input_forget = node.flag("input_forget", false);
  attributes.linear_before_reset = node.flag("linear_before_reset", false);
  node.ignore("output_sequence");
  const ir::Shape& r = node.shape(inputs[2]);
  if (r.size() != 3 || !r[2].is_known()) fail("the recurrent weights must have 3 known dimensions");
  attributes.hidden_size = node.integer("hidden_size", r[2].value);
  if (attributes.hidden_size != r[2].value || attributes.hidden_size < 1)
    fail("hidden_size is {}; the recurrent weights have {}", attributes.hidden_size, r[2].value);
  while (inputs.back() == kNoValue) inputs.pop_back();
  return node.add_several(op, inputs, attributes, std::max<size_t>(1, node.output_count()));
}

ValueIds recurrence(Node& node, Op op) {
  ValueIds inputs = {node.in(0), node.in(1), node.in(2)};
  for (size_t i = 3; i < node.input_count(); ++i) inputs.push_back(node.optional(i));
  return recurrence(node, op, std::move(inputs));
}

}  // namespace

ValueIds lstm(Node& node) { return recurrence(node, Op::Lstm); }
ValueIds add_lstm(Node& node, ValueIds inputs) {
  return recurrence(node, Op::Lstm, std::move(inputs));
}
ValueIds gru(Node& node) { return recurrence(node, Op::Gru); }
ValueIds rnn(Node& node) { return recurrence(node, Op::Rnn); }

ValueIds condition(Node& node) {
  // Exports ask about shapes that are known: only the branch that is taken becomes layers.
  const auto known = node.known(node.in(0));
  if (known && known->size() == 1) {
    node.ignore("then_branch");
    node.ignore("else_branch");
    return node.inline_body((*known)[0] != 0 ? "then_branch" : "else_branch");
  }
  ir::IfAttributes attributes;
  attributes.then_branch = node.body("then_branch");
  attributes.else_branch = node.body("else_branch");
  return node.add_several(Op::If, {node.in(0)}, attributes, node.output_count());
}

ValueIds loop(Node& node) {
  ir::LoopAttributes attributes;
  attributes.body = node.body("body");
  ValueIds inputs = node.inputs();
  if (inputs.size() < 2) inputs.resize(2, kNoValue);
  return node.add_several(Op::Loop, inputs, attributes, node.output_count());
}

ValueIds scan(Node& node) {
  ir::LoopAttributes attributes;
  attributes.body = node.body("body");
  attributes.scan_inputs = node.required_integer("num_scan_inputs");
  attributes.scan_input_axes = node.ints("scan_input_axes");
  attributes.scan_output_axes = node.ints("scan_output_axes");
  attributes.scan_input_reverse = node.ints("scan_input_directions");
  attributes.scan_output_reverse = node.ints("scan_output_directions");
  return node.add_several(Op::Scan, node.inputs(), attributes, node.output_count());
}

/// Opset 8: every input has a batch in front, and each of its sequences is scanned by itself.
ValueIds batched_scan(Node& node) {
  ir::LoopAttributes attributes;
  attributes.body = node.body("body");
  attributes.scan_inputs = node.required_integer("num_scan_inputs");
  attributes.scan_input_reverse = node.ints("directions");
  if (node.has(0)) fail("the sequences have lengths of their own; one length for all is supported");
  if (node.input_count() < 2) fail("there is nothing to scan");
  const ir::Dim& batch = node.dim(node.in(1), 0);
  constexpr int64_t kMostSequences = 64;
  if (!batch.is_known() || batch.value < 1 || batch.value > kMostSequences)
    fail("the batch must be known, and 1 to {}", kMostSequences);
  std::vector<ValueIds> parts(node.output_count());
  for (int64_t n = 0; n < batch.value; ++n) {
    ValueIds inputs;
    for (size_t i = 1; i < node.input_count(); ++i)
      inputs.push_back(node.squeeze(node.slice(node.in(i), 0, n, n + 1), {0}));
    const ValueIds found = node.add_several(Op::Scan, inputs, attributes, node.output_count());
    for (size_t i = 0; i < found.size(); ++i) parts[i].push_back(node.unsqueeze(found[i], {0}));
  }
  ValueIds results;
  for (const ValueIds& part : parts) results.push_back(node.concat(part, 0));
  return results;
}

}  // namespace dlaexec::onnx
