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

int64_t known_dim(Node& node, ValueId x, int64_t axis, std::string_view what) {
  const ir::Dim& dim = node.dim(x, axis);
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
  if (node.rank(bias) == 0) return bias;
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

/// Which keys com.microsoft's mask lets be seen: lengths [batch], or ones and zeros [batch, keys]
/// or [batch, queries, keys]; as something to add.
ValueId microsoft_mask_bias(Node& node, ValueId mask, ValueId k, ValueId like) {
  ValueId seen = kNoValue;
  const int64_t rank = node.rank(mask);
  if (rank == 1) {
    const ir::Dim &lengths = node.dim(mask, 0), &batch = node.dim(k, 0);
    if (lengths.is_known() && batch.is_known() && lengths != batch)
      fail("the mask has {} numbers for a batch of {}; one length each is supported", lengths.value,
           batch.value);
    const ValueId column = node.cast(count_up(node, one_dim(node, k, 2)), node.type_of(mask));
    seen = node.binary(ElementwiseKind::Less, column, node.unsqueeze(mask, {1}));
  } else if (rank == 2 || rank == 3) {
    seen = node.cast(mask, ir::DataType::Bool);
  } else {
    fail("the mask has {} dimensions; 1 to 3 are supported", rank);
  }
  seen = node.unsqueeze(seen, rank == 3 ? ir::Ints{1} : ir::Ints{1, 2});
  const float hidden = node.real("mask_filter_value", -10000);
  return node.add(Op::Where, {seen, node.number(0, like), node.number(hidden, like)});
}

/// softmax(q k^T * scale + biases) v of operands with heads, heads joined again.
ValueId attended(Node& node, ValueId q, ValueId k, ValueId v, ValueId mask, ValueId added) {
  const auto size = static_cast<double>(known_dim(node, q, 3, "the size of a head"));
  const float given = node.real("scale", 0);
  const double scale = given != 0 ? static_cast<double>(given) : 1 / std::sqrt(size);
  const ValueId products = node.add(Op::MatMul, {q, node.transpose(k, {0, 1, 3, 2})});
  ValueId scores = node.binary(ElementwiseKind::Prod, products, node.number(scale, products));
  const auto add = [&](ValueId bias) { scores = node.binary(ElementwiseKind::Sum, scores, bias); };
  if (mask != kNoValue) add(microsoft_mask_bias(node, mask, k, scores));
  if (added != kNoValue) add(added);
  if (node.flag("unidirectional", false)) add(causal_bias(node, q, k, kNoValue, scores));
  ir::SoftmaxAttributes softmax;
  softmax.axis = 3;
  const ValueId y = node.add(Op::MatMul, {node.add(Op::Softmax, {scores}, softmax), v});
  return node.reshape(node.transpose(y, {0, 2, 1, 3}), {0, 0, -1});
}

/// What decoders ask for: keys and values of earlier steps.
void refuse_past(Node& node, size_t past, size_t present) {
  if (node.has(past) || node.wants(present) || node.flag("do_rotary", false))
    fail("past keys and values and rotary embedding are not supported");
}

}  // namespace

ValueIds microsoft_attention(Node& node) {
  refuse_past(node, 4, 1);
  const int64_t heads = node.required_integer("num_heads");
  ValueId all = node.add(Op::MatMul, {node.in(0), node.in(1)});
  if (node.has(2)) all = node.binary(ElementwiseKind::Sum, all, node.in(2));
  const int64_t width = known_dim(node, node.in(1), 1, "the width of the weights");
  const ir::Ints sizes =
      node.ints("qkv_hidden_sizes", {width / 3, width / 3, width - width / 3 * 2});
  if (sizes.size() != 3) fail("qkv_hidden_sizes has {} entries; 3 are needed", sizes.size());
  if (sizes[0] != sizes[1])
    fail("qkv_hidden_sizes gives {} to queries and {} to keys; they must be equal", sizes[0],
         sizes[1]);
  if (sizes[0] < 0 || sizes[0] > width || sizes[2] != width - 2 * sizes[0])
    fail("qkv_hidden_sizes is {}, {}, {}, which does not add up to the {} columns of the weights",
         sizes[0], sizes[1], sizes[2], width);
  const auto part = [&](int64_t begin, int64_t size) {
    return with_heads(node, node.slice(all, 2, begin, begin + size), heads);
  };
  const ValueId q = part(0, sizes[0]), k = part(sizes[0], sizes[1]);
  const ValueId v = part(sizes[0] + sizes[1], sizes[2]);
  return {attended(node, q, k, v, node.optional(3), node.optional(5))};
}

ValueIds multi_head_attention(Node& node) {
  refuse_past(node, 6, 1);
  const int64_t heads = node.required_integer("num_heads");
  if (!node.has(1) || !node.has(2) || node.rank(node.in(0)) != 3 || node.rank(node.in(1)) != 3)
    fail("query, key and value packed into one tensor are not supported");
  int64_t begin = 0;
  const auto operand = [&](size_t input) {  // each has its part of the bias
    ValueId x = node.in(input);
    if (node.has(3)) {
      const int64_t width = known_dim(node, x, 2, "the width of an operand");
      x = node.binary(ElementwiseKind::Sum, x, node.slice(node.in(3), 0, begin, begin + width));
      begin += width;
    }
    return with_heads(node, x, heads);
  };
  const ValueId q = operand(0), k = operand(1), v = operand(2);
  return {attended(node, q, k, v, node.optional(4), node.optional(5))};
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
