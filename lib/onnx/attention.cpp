// Attention, written out as the products that it is.
#include "onnx/attention.h"

#include <cmath>

namespace dlaexec::onnx {
ValueId with_heads(Node& node, ValueId x, int64_t heads) {
  if (node.rank(x) == 4) return x;
  if (node.rank(x) != 3) fail("an operand has {} dimensions; 3 or 4 are needed", node.rank(x));
  if (heads < 1) fail("q_num_heads and kv_num_heads are needed for operands of 3 dimensions");
  return node.transpose(node.reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3});
}

int64_t known_dim(Node& node, ValueId x, int64_t axis, std::string_view what) {
  const ir::Dim& dim = node.dim(x, axis);
  if (!dim.is_known()) fail("{} must be known; it is {}", what, dim.symbol);
  return dim.value;
}

ValueId repeated(Node& node, ValueId x, int64_t query_heads) {
  const int64_t heads = known_dim(node, x, 1, "the number of heads");
  if (heads == query_heads) return x;
  if (heads < 1 || query_heads % heads != 0)
    fail("{} query heads do not divide by {} key heads", query_heads, heads);
  const int64_t size = known_dim(node, x, 3, "the size of a head");
  const ValueId copies = node.add(
      Op::Tile, {node.unsqueeze(x, {2}), node.ints_constant({1, 1, query_heads / heads, 1, 1})});
  return node.reshape(copies, {0, query_heads, -1, size});
}

ValueId without_heads(Node& node, ValueId x) {
  return node.reshape(node.transpose(x, {0, 2, 1, 3}), {0, 0, -1});
}

ValueId one_dim(Node& node, ValueId x, int64_t axis) {
  return node.squeeze(node.shape_of(x, axis, axis + 1), {0});
}

ValueId count_up(Node& node, ValueId limit) {
  return node.add(Op::Range, {node.number(0, limit), limit, node.number(1, limit)});
}

ValueId as_bias(Node& node, ValueId allowed, ValueId like, double hidden) {
  return node.add(Op::Where, {allowed, node.number(0, like), node.number(hidden, like)});
}

ValueId query_places(Node& node, ValueId q, ValueId past) {
  const ValueId column = node.unsqueeze(count_up(node, one_dim(node, q, 2)), {1});
  if (past == kNoValue) return column;
  return node.binary(ElementwiseKind::Sum, column, one_dim(node, past, 2));
}

ValueId causal_bias(Node& node, ValueId places, ValueId k, ValueId like) {
  const ValueId row = node.unsqueeze(count_up(node, one_dim(node, k, 2)), {0});
  return as_bias(node, node.binary(ElementwiseKind::LessOrEqual, row, places), like, kHidden);
}

namespace {

/// Scores within (-softcap, softcap), where that attribute asks for it.
ValueId capped(Node& node, ValueId scores) {
  const float softcap = node.real("softcap", 0);
  if (softcap <= 0) return scores;
  const ValueId cap = node.number(softcap, scores);
  const ValueId part = node.binary(ElementwiseKind::Div, scores, cap);
  return node.binary(ElementwiseKind::Prod, node.activation(ActivationKind::Tanh, part), cap);
}

/// The mask as something to add; keys past its end are not seen.
ValueId mask_bias(Node& node, ValueId mask, ValueId k, ValueId like) {
  ValueId bias = node.type_of(mask) == ir::DataType::Bool ? as_bias(node, mask, like, kHidden)
                                                          : node.cast(mask, node.type_of(like));
  if (node.rank(bias) == 0) return bias;
  const ir::Dim& have = node.shape(bias).back();
  const ir::Dim& want = node.shape(k)[2];
  if (!have.is_known() || !want.is_known() || have.value >= want.value) return bias;
  ir::Ints pads(2 * node.shape(bias).size(), 0);
  pads.back() = want.value - have.value;
  return node.add(Op::Pad, {bias, node.ints_constant(pads), node.number(kHidden, like)});
}

ValueId softmax_over_keys(Node& node, ValueId scores) {
  ir::SoftmaxAttributes attributes;
  attributes.axis = node.rank(scores) - 1;
  return node.add(Op::Softmax, {scores}, attributes);
}

/// Rows that see nothing get zeros, not NaN.
ValueId safe_softmax(Node& node, ValueId scores) {
  const ValueId weights = softmax_over_keys(node, scores);
  const ValueId undefined = node.unary(UnaryKind::IsNan, weights);
  return node.add(Op::Where, {undefined, node.number(0, weights), weights});
}

}  // namespace

ValueIds attention(Node& node) {
  const bool flat = node.rank(node.in(0)) == 3;
  const int64_t given_heads = node.integer("q_num_heads", 0);
  const int64_t kv_heads = node.integer("kv_num_heads", 0);
  const ValueId q = with_heads(node, node.in(0), given_heads);
  ValueId k = with_heads(node, node.in(1), kv_heads);
  ValueId v = with_heads(node, node.in(2), kv_heads);
  if (node.has(4)) k = node.concat({node.in(4), k}, 2);
  if (node.has(5)) v = node.concat({node.in(5), v}, 2);
  const int64_t heads = known_dim(node, q, 1, "the number of heads");
  const auto size = static_cast<double>(known_dim(node, q, 3, "the size of a head"));
  const double root =
      std::sqrt(node.has_attribute("scale") ? static_cast<double>(node.real("scale", 1))
                                            : 1 / std::sqrt(size));
  const auto scaled = [&](ValueId x) {
    return node.binary(ElementwiseKind::Prod, x, node.number(root, x));
  };
  const ValueId keys = node.transpose(scaled(repeated(node, k, heads)), {0, 1, 3, 2});
  const ValueId products = node.add(Op::MatMul, {scaled(q), keys});
  const ValueId in_range = capped(node, products);
  ValueId biased = in_range;
  const bool causal = node.flag("is_causal", false);
  const bool masked = node.has(3) || causal;
  if (node.has(3))
    biased = node.binary(ElementwiseKind::Sum, biased, mask_bias(node, node.in(3), k, biased));
  if (causal)
    biased = node.binary(ElementwiseKind::Sum, biased,
                         causal_bias(node, query_places(node, q, node.optional(4)), k, biased));
  const ir::DataType type = node.type_of(biased);
  const ValueId scores = node.cast(biased, node.type("softmax_precision", type));
  const ValueId weights =
      node.cast(masked ? safe_softmax(node, scores) : softmax_over_keys(node, scores), type);
  ValueId y = node.add(Op::MatMul, {weights, repeated(node, v, heads)});
  if (flat) y = without_heads(node, y);
  const int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) fail("qk_matmul_output_mode is {}; 0 to 3 are allowed", mode);
  const ValueId seen[] = {products, in_range, biased, weights};
  return {y, k, v, seen[mode]};
}

ValueId attended(Node& node, const Operands& operands, const ValueIds& biases) {
  const auto size = static_cast<double>(known_dim(node, operands.q, 3, "the size of a head"));
  const float given = node.real("scale", 0);
  const double scale = given != 0 ? static_cast<double>(given) : 1 / std::sqrt(size);
  const ValueId products =
      node.add(Op::MatMul, {operands.q, node.transpose(operands.k, {0, 1, 3, 2})});
  ValueId scores =
      capped(node, node.binary(ElementwiseKind::Prod, products, node.number(scale, products)));
  for (const ValueId bias : biases)
    if (bias != kNoValue) scores = node.binary(ElementwiseKind::Sum, scores, bias);
  const ValueId weights = softmax_over_keys(node, scores);
  return without_heads(node, node.add(Op::MatMul, {weights, operands.v}));
}

}  // namespace dlaexec::onnx
