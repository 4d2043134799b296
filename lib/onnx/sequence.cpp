// Sequences of tensors. They exist while a file is read and no longer: what is in them, and which
// of it an operator takes, must be known then.
#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// A position in a sequence of @p size, from input @p input; negative ones count from the end.
size_t position(Node& node, size_t input, size_t size) {
  const ir::Ints given = node.required(node.in(input), "positions in a sequence");
  if (given.size() != 1) fail("there are {} positions; one is needed", given.size());
  const auto count = static_cast<int64_t>(size);
  if (given[0] < -count || given[0] >= count)
    fail("position {} is outside a sequence of {}", given[0], count);
  return static_cast<size_t>(given[0] < 0 ? given[0] + count : given[0]);
}

/// The sizes of the parts of an axis of @p size.
ir::Ints part_sizes(Node& node, int64_t size) {
  constexpr int64_t kMostParts = 4096;
  ir::Ints sizes = {1};
  const bool is_list = node.has(1) && node.rank(node.in(1)) == 1;
  if (node.has(1)) sizes = node.required(node.in(1), "the sizes of parts");
  if (is_list) return sizes;
  const int64_t each = sizes.empty() ? 0 : sizes[0];
  if (each < 1 || size / each >= kMostParts)
    fail("an axis of {} in parts of {} is not supported; fewer than {} parts are allowed", size,
         each, kMostParts);
  sizes.assign(static_cast<size_t>(size / each), each);
  if (size % each != 0) sizes.push_back(size % each);
  return sizes;
}

}  // namespace

ValueIds sequence_empty(Node& node) {
  node.ignore("dtype");
  return {node.add_sequence({})};
}

ValueIds sequence_construct(Node& node) {
  ValueIds parts;
  for (size_t i = 0; i < node.input_count(); ++i) parts.push_back(node.in(i));
  return {node.add_sequence(parts)};
}

ValueIds sequence_insert(Node& node) {
  ValueIds parts = node.sequence(0);
  const size_t at = node.has(2) ? position(node, 2, parts.size() + 1) : parts.size();
  parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(at), node.in(1));
  return {node.add_sequence(parts)};
}

ValueIds sequence_erase(Node& node) {
  ValueIds parts = node.sequence(0);
  if (parts.empty()) fail("the sequence is empty");
  const size_t at = node.has(1) ? position(node, 1, parts.size()) : parts.size() - 1;
  parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at));
  return {node.add_sequence(parts)};
}

ValueIds sequence_at(Node& node) {
  const ValueIds& parts = node.sequence(0);
  return {parts[position(node, 1, parts.size())]};
}

ValueIds sequence_length(Node& node) {
  return {node.constant(ir::Tensor::scalar(static_cast<int64_t>(node.sequence(0).size())))};
}

ValueIds split_to_sequence(Node& node) {
  const ValueId x = node.in(0);
  const int64_t axis = node.axis_in(node.integer("axis", 0), node.rank(x));
  const ir::Dim& size = node.dim(x, axis);
  if (!size.is_known()) fail("the axis that is split must be known; it is {}", size.symbol);
  const ir::Ints sizes = part_sizes(node, size.value);
  ValueIds parts = node.add_several(Op::Split, {x, node.ints_constant(sizes)},
                                    ir::AxisAttributes{axis}, sizes.size());
  if (!node.has(1) && !node.flag("keepdims", true))
    for (ValueId& part : parts) part = node.squeeze(part, {axis});
  return {node.add_sequence(parts)};
}

ValueIds concat_from_sequence(Node& node) {
  ValueIds parts = node.sequence(0);
  if (parts.empty()) fail("the sequence is empty");
  const bool is_new = node.flag("new_axis", false);
  const int64_t axis =
      node.axis_in(node.required_integer("axis"), node.rank(parts[0]) + (is_new ? 1 : 0));
  if (is_new)
    for (ValueId& part : parts) part = node.unsqueeze(part, {axis});
  return {node.concat(parts, axis)};
}

}  // namespace dlaexec::onnx
