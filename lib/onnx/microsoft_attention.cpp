// com.microsoft: attention as ONNX Runtime's optimizer and quantizer write it.
#include <utility>

#include "onnx/attention.h"
#include "onnx/quant.h"

namespace dlaexec::onnx {
namespace {

/// Which of all keys sequences have, from [batch] numbers of keys, or those and then [batch]
/// places of first keys; [batch, keys].
ValueId seen_by_lengths(Node& node, ValueId lengths, ValueId k) {
  const ir::Dim &count = node.dim(lengths, 0), &batch = node.dim(k, 0);
  const ValueId places = node.cast(count_up(node, one_dim(node, k, 2)), node.type_of(lengths));
  if (!count.is_known() || !batch.is_known() || count == batch)
    return node.binary(ElementwiseKind::Less, places, node.unsqueeze(lengths, {1}));
  if (count.value != 2 * batch.value)
    fail("the mask has {} numbers for a batch of {}; one or two each are supported", count.value,
         batch.value);
  const auto column = [&](int64_t from) {
    return node.unsqueeze(node.slice(lengths, 0, from, from + batch.value), {1});
  };
  return node.binary(ElementwiseKind::And, node.binary(ElementwiseKind::Less, places, column(0)),
                     node.binary(ElementwiseKind::GreaterOrEqual, places, column(batch.value)));
}

/// A mask as something to add: lengths (see above), or ones and zeros [batch, keys] or [batch,
/// queries, keys].
ValueId mask_bias(Node& node, ValueId mask, ValueId k, ValueId like) {
  if (mask == kNoValue) return kNoValue;
  const int64_t rank = node.rank(mask);
  if (rank < 1 || rank > 3) fail("the mask has {} dimensions; 1 to 3 are supported", rank);
  const ValueId seen =
      rank == 1 ? seen_by_lengths(node, mask, k) : node.cast(mask, ir::DataType::Bool);
  const auto hidden = static_cast<double>(node.real("mask_filter_value", -10000));
  return as_bias(node, node.unsqueeze(seen, rank == 3 ? ir::Ints{1} : ir::Ints{1, 2}), like,
                 hidden);
}

/// Every bias of an operator: those given and that of its direction.
ValueIds biases_of(Node& node, const Operands& operands, ValueId mask, ValueId added,
                   ValueId past) {
  const ValueId like = operands.q;
  const ValueId order =
      node.flag("unidirectional", false)
          ? causal_bias(node, query_places(node, operands.q, past), operands.k, like)
          : kNoValue;
  return {mask_bias(node, mask, operands.k, like), added, order};
}

/// Keys or values behind those of earlier steps.
ValueId after(Node& node, ValueId past, ValueId x) {
  return past == kNoValue ? x : node.concat({past, x}, 2);
}

/// What only the decoders of a running service ask for.
void refuse(bool wanted, std::string_view what) {
  if (wanted) fail("{} is not supported", what);
}

void refuse_shared_buffers(Node& node, size_t past_length) {
  refuse(node.has(past_length) || node.flag("past_present_share_buffer", false),
         "a buffer that past and present keys share");
}

/// The inputs of attention whose places differ.
struct Inputs {
  size_t mask, past;
  ValueId added;  ///< to the scores
};

/// How many columns of the product belong to queries, keys and values.
ir::Ints part_sizes(Node& node, int64_t width) {
  const ir::Ints sizes =
      node.ints("qkv_hidden_sizes", {width / 3, width / 3, width - width / 3 * 2});
  if (sizes.size() != 3) fail("qkv_hidden_sizes has {} entries; 3 are needed", sizes.size());
  if (sizes[0] != sizes[1])
    fail("qkv_hidden_sizes gives {} to queries and {} to keys; they must be equal", sizes[0],
         sizes[1]);
  if (sizes[0] < 0 || sizes[0] > width || sizes[2] != width - 2 * sizes[0])
    fail("qkv_hidden_sizes is {}, {}, {}, which does not add up to the {} columns of the weights",
         sizes[0], sizes[1], sizes[2], width);
  return sizes;
}

/// Attention of queries, keys and values that lie side by side in @p all.
ValueIds self_attention(Node& node, ValueId all, const Inputs& inputs) {
  refuse(node.flag("do_rotary", false), "rotary embedding inside the operator");
  const int64_t heads = node.required_integer("num_heads");
  const ir::Ints sizes =
      part_sizes(node, known_dim(node, node.in(1), 1, "the width of the weights"));
  int64_t begin = 0;
  const auto part = [&](size_t index) {
    const int64_t from = std::exchange(begin, begin + sizes[index]);
    return with_heads(node, node.slice(all, 2, from, begin), heads);
  };
  const auto earlier = [&](int64_t half) {  // past: [2, batch, heads, length, size]
    if (!node.has(inputs.past)) return kNoValue;
    return node.squeeze(node.slice(node.in(inputs.past), 0, half, half + 1), {0});
  };
  Operands operands = {part(0), part(1), part(2)};
  const ValueId past = earlier(0);
  operands.k = after(node, past, operands.k);
  operands.v = after(node, earlier(1), operands.v);
  const ValueId y = attended(
      node, operands, biases_of(node, operands, node.optional(inputs.mask), inputs.added, past));
  if (!node.wants(1)) return {y};
  return {y, node.concat({node.unsqueeze(operands.k, {0}), node.unsqueeze(operands.v, {0})}, 0)};
}

}  // namespace

ValueIds microsoft_attention(Node& node) {
  refuse_shared_buffers(node, 6);
  ValueId all = node.add(Op::MatMul, {node.in(0), node.in(1)});
  if (node.has(2)) all = node.binary(ElementwiseKind::Sum, all, node.in(2));
  return self_attention(node, all, {3, 4, node.optional(5)});
}

ValueIds quantized_attention(Node& node) {
  refuse_shared_buffers(node, node.input_count());
  const ValueId all =
      add_integer_product(node, {node.in(0), node.in(3), node.optional(6)},
                          {node.in(1), node.in(4), node.optional(7)}, node.optional(2));
  return self_attention(node, all, {5, 8, kNoValue});
}

namespace {

/// The parts of [batch, length, heads, parts, size], each [batch, length, heads * size].
ValueIds unpacked(Node& node, ValueId packed) {
  constexpr int64_t kMostParts = 3;
  const int64_t count = known_dim(node, packed, 3, "the number of packed operands");
  if (count > kMostParts) fail("{} operands are packed; 2 or 3 are allowed", count);
  ValueIds parts;
  for (int64_t i = 0; i < count; ++i)
    parts.push_back(node.reshape(node.slice(packed, 3, i, i + 1), {0, 0, -1}));
  return parts;
}

/// Query, key and value, however the inputs pack them.
ValueIds separate_operands(Node& node) {
  ValueIds all = {node.in(0)};
  if (node.rank(all[0]) == 5)
    all = unpacked(node, all[0]);
  else if (node.rank(node.in(1)) == 5)
    for (const ValueId part : unpacked(node, node.in(1))) all.push_back(part);
  else
    all = {node.in(0), node.in(1), node.in(2)};
  if (all.size() != 3) fail("{} operands are packed; query, key and value are needed", all.size());
  return all;
}

}  // namespace

ValueIds multi_head_attention(Node& node) {
  refuse_shared_buffers(node, 8);
  refuse(node.has(9), "beam search inside the operator");
  refuse(node.wants(3), "the output of scores");
  const int64_t heads = node.required_integer("num_heads");
  const ValueIds given = separate_operands(node);
  int64_t begin = 0;
  const auto operand = [&](size_t index) {  // each has its part of the bias
    ValueId x = given[index];
    if (!node.has(3) || node.rank(x) != 3) return with_heads(node, x, heads);
    const int64_t from = begin;
    begin += known_dim(node, x, 2, "the width of an operand");
    x = node.binary(ElementwiseKind::Sum, x, node.slice(node.in(3), 0, from, begin));
    return with_heads(node, x, heads);
  };
  Operands operands = {operand(0), operand(1), operand(2)};
  const ValueId past = node.optional(6);
  operands.k = after(node, past, operands.k);
  operands.v = after(node, node.optional(7), operands.v);
  const ValueIds biases = biases_of(node, operands, node.optional(4), node.optional(5), past);
  return {attended(node, operands, biases), operands.k, operands.v};
}

}  // namespace dlaexec::onnx
