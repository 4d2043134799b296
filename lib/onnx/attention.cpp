// Attention and rotary embedding, written out as the products they are.
#include <cmath>
#include <limits>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// [batch, length, heads * size] as [batch, heads, length, size]; four dimensions are that already.
ValueId with_heads(Node& node, ValueId x, int64_t heads) {
  if (node.rank(x) == 4) return x;
  if (node.rank(x) != 3) fail("an operand has {} dimensions; 3 or 4 are needed", node.rank(x));
  if (heads < 1) fail("q_num_heads and kv_num_heads are needed for operands of 3 dimensions");
  return node.transpose(node.reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3});
}

int64_t known_dim(Node& node, ValueId x, size_t axis, std::string_view what) {
  const ir::Dim& dim = node.shape(x).at(axis);
  if (!dim.is_known()) fail("{} must be known; it is {}", what, dim.symbol);
  return dim.value;
}

/// Each head of keys or values repeated for the queries that share it.
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

ValueId one_dim(Node& node, ValueId x, int64_t axis) {
  return node.squeeze(node.shape_of(x, axis, axis + 1), {0});
}

ValueId count_up(Node& node, ValueId limit) {
  return node.add(Op::Range, {node.number(0, limit), limit, node.number(1, limit)});
}

/// Zero where @p allowed, minus infinity elsewhere, in the type of @p like.
ValueId as_bias(Node& node, ValueId allowed, ValueId like) {
  return node.add(Op::Where, {allowed, node.number(0, like),
                              node.number(-std::numeric_limits<double>::infinity(), like)});
}

/// A query sees the keys up to its own position, which comes after the past ones.
ValueId causal_bias(Node& node, ValueId q, ValueId k, ValueId past, ValueId like) {
  ValueId row = node.unsqueeze(count_up(node, one_dim(node, q, 2)), {1});
  if (past != kNoValue) row = node.binary(ElementwiseKind::Sum, row, one_dim(node, past, 2));
  const ValueId column = node.unsqueeze(count_up(node, one_dim(node, k, 2)), {0});
  return as_bias(node, node.binary(ElementwiseKind::LessOrEqual, column, row), like);
}

/// The mask as something to add; keys past its end are not seen.
ValueId mask_bias(Node& node, ValueId mask, ValueId k, ValueId like) {
  ValueId bias = node.type_of(mask) == ir::DataType::Bool ? as_bias(node, mask, like)
                                                          : node.cast(mask, node.type_of(like));
  const ir::Dim& have = node.shape(bias).back();
  const ir::Dim& want = node.shape(k)[2];
  if (!have.is_known() || !want.is_known() || have.value >= want.value) return bias;
  ir::Ints pads(2 * node.shape(bias).size(), 0);
  pads.back() = want.value - have.value;
  return node.add(Op::Pad, {bias, node.ints_constant(pads),
                            node.number(-std::numeric_limits<double>::infinity(), like)});
}

/// Rows that see nothing get zeros, not NaN.
ValueId safe_softmax(Node& node, ValueId scores) {
  ir::SoftmaxAttributes attributes;
  attributes.axis = node.rank(scores) - 1;
  const ValueId weights = node.add(Op::Softmax, {scores}, attributes);
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
  const float softcap = node.real("softcap", 0);
  ValueId capped = products;
  if (softcap > 0) {
    const ValueId cap = node.number(softcap, products);
    const ValueId part = node.binary(ElementwiseKind::Div, products, cap);
    capped = node.binary(ElementwiseKind::Prod, node.activation(ActivationKind::Tanh, part), cap);
  }
  ValueId biased = capped;
  const bool causal = node.flag("is_causal", false);
  const bool masked = node.has(3) || causal;
  if (node.has(3))
    biased = node.binary(ElementwiseKind::Sum, biased, mask_bias(node, node.in(3), k, biased));
  if (causal)
    biased = node.binary(ElementwiseKind::Sum, biased,
                         causal_bias(node, q, k, node.optional(4), biased));
  ir::SoftmaxAttributes softmax;
  softmax.axis = 3;
  const ir::DataType type = node.type_of(biased);
  const ValueId scores = node.cast(biased, node.type("softmax_precision", type));
  const ValueId weights = node.cast(
      masked ? safe_softmax(node, scores) : node.add(Op::Softmax, {scores}, softmax), type);
  ValueId y = node.add(Op::MatMul, {weights, repeated(node, v, heads)});
  if (flat) y = node.reshape(node.transpose(y, {0, 2, 1, 3}), {0, 0, -1});
  const int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) fail("qk_matmul_output_mode is {}; 0 to 3 are allowed", mode);
  const ValueId seen[] = {products, capped, biased, weights};
  return {y, k, v, seen[mode]};
}

namespace {

/// Elements start, start + step, ... of the last axis.
ValueId stepped(Node& node, ValueId x, int64_t start, int64_t end, int64_t step) {
  return node.add(Op::Slice, {x, node.ints_constant({start}), node.ints_constant({end}),
                              node.ints_constant({node.rank(x) - 1}), node.ints_constant({step})});
}

}  // namespace

ValueIds rotary_embedding(Node& node) {
  const ValueId given = node.in(0);
  const bool flat = node.rank(given) == 3;
  const int64_t heads = node.integer("num_heads", 0);
  if (flat && heads < 1) fail("num_heads is needed for an input of 3 dimensions");
  // [batch, length, heads, size]
  const ValueId x =
      flat ? node.reshape(given, {0, 0, heads, -1}) : node.transpose(given, {0, 2, 1, 3});
  const int64_t size = known_dim(node, x, 3, "the size of a head");
  const int64_t wanted = node.integer("rotary_embedding_dim", 0);
  const int64_t turned = wanted == 0 ? size : wanted;
  if (turned < 2 || turned > size || turned % 2 != 0)
    fail("rotary_embedding_dim is {}; it must be even and at most {}", turned, size);
  const int64_t half = turned / 2;
  const auto table = [&](size_t input) {
    ValueId values = node.in(input);
    if (node.has(3)) values = node.add(Op::Gather, {values, node.in(3)}, ir::AxisAttributes{0});
    return node.unsqueeze(stepped(node, values, 0, half, 1), {2});
  };
  const ValueId cosines = table(1);
  const ValueId sines = table(2);
  const bool interleaved = node.flag("interleaved", false);
  const ValueId first = interleaved ? stepped(node, x, 0, turned, 2) : stepped(node, x, 0, half, 1);
  const ValueId second =
      interleaved ? stepped(node, x, 1, turned, 2) : stepped(node, x, half, turned, 1);
  const auto product = [&](ValueId a, ValueId b) {
    return node.binary(ElementwiseKind::Prod, a, b);
  };
  const ValueId real =
      node.binary(ElementwiseKind::Sub, product(cosines, first), product(sines, second));
  const ValueId imaginary =
      node.binary(ElementwiseKind::Sum, product(sines, first), product(cosines, second));
  ValueId y = interleaved
                  ? node.reshape(
                        node.concat({node.unsqueeze(real, {4}), node.unsqueeze(imaginary, {4})}, 4),
                        {0, 0, 0, turned})
                  : node.concat({real, imaginary}, 3);
  if (turned < size) y = node.concat({y, stepped(node, x, turned, size, 1)}, 3);
  return {flat ? node.reshape(y, {0, 0, -1}) : node.transpose(y, {0, 2, 1, 3})};
}

}  // namespace dlaexec::onnx
