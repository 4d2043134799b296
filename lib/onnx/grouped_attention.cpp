// com.microsoft.GroupQueryAttention: decoders whose queries share keys and values, which come
// behind those of earlier steps in a buffer for the longest sequence of the batch.
#include <utility>

#include "onnx/attention.h"

namespace dlaexec::onnx {
namespace {

void refuse_unsupported(Node& node) {
  const auto refuse = [](bool wanted, std::string_view what) {
    if (wanted) fail("{} is not supported", what);
  };
  refuse(node.flag("smooth_softmax", false) || node.has(11), "a smooth softmax");
  refuse(node.flag("qk_output", false) || node.wants(3), "the output of scores");
  for (const char* name : {"k_quant_type", "v_quant_type"})
    refuse(node.text(name, "NONE") != "NONE", "a quantized buffer of keys or values");
  node.ignore("kv_cache_bit_width");
}

/// Query, key and value with heads; key and value may lie behind the query in one tensor.
Operands operands_of(Node& node, int64_t heads, int64_t kv_heads) {
  const ValueId all = node.in(0);
  if (node.has(1))
    return {with_heads(node, all, heads), with_heads(node, node.in(1), kv_heads),
            with_heads(node, node.in(2), kv_heads)};
  if (heads < 1 || kv_heads < 1)
    fail("num_heads is {} and kv_num_heads is {}; 1 or more are needed", heads, kv_heads);
  const int64_t size = known_dim(node, all, 2, "the width of the query") / (heads + 2 * kv_heads);
  int64_t begin = 0;
  const auto part = [&](int64_t count) {
    const int64_t from = std::exchange(begin, begin + count * size);
    return with_heads(node, node.slice(all, 2, from, begin), count);
  };
  const ValueId q = part(heads), k = part(kv_heads);
  return {q, k, part(kv_heads)};
}

/// The place of each query in its sequence, [batch, 1, length, 1]: sequences end with the last
/// one, but for those of a first step that are shorter than it.
ValueId places_of(Node& node, ValueId q) {
  const ValueId last = node.reshape(node.cast(node.in(5), ir::DataType::Int64), {-1, 1, 1, 1});
  const ValueId length = one_dim(node, q, 2);
  const ValueId end = node.binary(ElementwiseKind::Sum, last, node.number(1, last));
  const ValueId first = node.binary(
      ElementwiseKind::Max, node.binary(ElementwiseKind::Sub, end, length), node.number(0, last));
  return node.binary(ElementwiseKind::Sum, first, node.unsqueeze(count_up(node, length), {1}));
}

Operands with_rotary(Node& node, const Operands& operands, ValueId places) {
  const Rotation rotation = {2 * known_dim(node, node.in(7), 1, "the width of the cosines"),
                             node.flag("rotary_interleaved", false)};
  const ValueId rows = node.has(9) ? node.in(9) : node.reshape(places, {0, -1});
  const auto table = [&](size_t input) {
    return node.unsqueeze(node.add(Op::Gather, {node.in(input), rows}, ir::AxisAttributes{0}), {1});
  };
  const ValueId cosines = table(7), sines = table(8);
  return {rotated(node, operands.q, cosines, sines, rotation),
          rotated(node, operands.k, cosines, sines, rotation), operands.v};
}

/// The buffer of keys or values with @p x at its places; it grows where the sequence does.
ValueId placed(Node& node, ValueId past, ValueId x, ValueId places) {
  if (past == kNoValue) return x;
  const ValueId have = node.shape_of(past, 2, 3);
  const ValueId want = node.reshape(node.cast(node.in(6), ir::DataType::Int64), {1});
  const ValueId none = node.number(0, have);
  const ValueId growth =
      node.binary(ElementwiseKind::Max, node.binary(ElementwiseKind::Sub, want, have), none);
  const ValueId pads =
      node.concat({node.ints_constant(ir::Ints(6, 0)), growth, node.ints_constant({0})}, 0);
  // The rest of the shape does not depend on data.
  const ValueId buffer = node.reshape(node.add(Op::Pad, {past, pads}),
                                      {0, known_dim(node, x, 1, "the number of heads"), -1,
                                       known_dim(node, x, 3, "the size of a head")});
  const ValueId indices = node.add(Op::Expand, {places, node.shape_of(x)});
  ir::ScatterAttributes attributes;
  attributes.axis = 2;
  return node.add(Op::ScatterElements, {buffer, indices, x}, attributes);
}

/// A query sees local_window_size keys, its own being the last.
ValueId window_bias(Node& node, ValueId places, ValueId k, ValueId like) {
  const int64_t window = node.integer("local_window_size", -1);
  if (window < 0) return kNoValue;
  const ValueId last_hidden =
      node.binary(ElementwiseKind::Sub, places, node.number(static_cast<double>(window), places));
  const ValueId row = count_up(node, one_dim(node, k, 2));
  return as_bias(node, node.binary(ElementwiseKind::Greater, row, last_hidden), like, kHidden);
}

}  // namespace

ValueIds group_query_attention(Node& node) {
  refuse_unsupported(node);
  const int64_t heads = node.required_integer("num_heads");
  Operands operands = operands_of(node, heads, node.required_integer("kv_num_heads"));
  const ValueId places = places_of(node, operands.q);
  if (node.flag("do_rotary", false)) operands = with_rotary(node, operands, places);
  const ValueId keys = placed(node, node.optional(3), operands.k, places);
  const ValueId values = placed(node, node.optional(4), operands.v, places);
  const ValueId y =
      attended(node, {operands.q, repeated(node, keys, heads), repeated(node, values, heads)},
               {causal_bias(node, places, keys, operands.q),
                window_bias(node, places, keys, operands.q), node.optional(10)});
  return {y, keys, values};
}

}  // namespace dlaexec::onnx
