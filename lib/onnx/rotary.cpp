// Rotary embedding: pairs of a head's elements, turned by an angle for each place in the sequence.
#include "onnx/attention.h"

namespace dlaexec::onnx {
namespace {

/// Elements start, start + step, ... of the last axis.
ValueId stepped(Node& node, ValueId x, int64_t start, int64_t end, int64_t step) {
  return node.add(Op::Slice, {x, node.ints_constant({start}), node.ints_constant({end}),
                              node.ints_constant({node.rank(x) - 1}), node.ints_constant({step})});
}

ValueId rows(Node& node, ValueId table, ValueId places) {
  return node.add(Op::Gather, {table, places}, ir::AxisAttributes{0});
}

Rotation rotation_of(Node& node) {
  return {node.integer("rotary_embedding_dim", 0), node.flag("interleaved", false)};
}

/// An operator's input with heads, turned by tables [batch or 1, length, pairs]; three dimensions
/// are split at @p heads (-1: at heads of @p size elements) and joined again.
ValueId embedded(Node& node, ValueId cosines, ValueId sines, int64_t heads, int64_t size) {
  const ValueId given = node.in(0);
  const int64_t rank = node.rank(given);
  if (rank != 3 && rank != 4) fail("the input has {} dimensions; 3 or 4 are needed", rank);
  const ValueId x = rank == 3 ? node.reshape(given, {0, 0, heads, size}) : given;
  const ir::Ints head_axis = {rank == 3 ? 2 : 1};
  const ValueId y = rotated(node, x, node.unsqueeze(cosines, head_axis),
                            node.unsqueeze(sines, head_axis), rotation_of(node));
  return rank == 3 ? node.reshape(y, {0, 0, -1}) : y;
}

}  // namespace

ValueId rotated(Node& node, ValueId x, ValueId cosines, ValueId sines, const Rotation& rotation) {
  const int64_t size = known_dim(node, x, 3, "the size of a head");
  const int64_t turned = rotation.size == 0 ? size : rotation.size;
  if (turned < 2 || turned > size || turned % 2 != 0)
    fail("rotary_embedding_dim is {}; it must be even and at most {}", turned, size);
  const int64_t half = turned / 2;
  cosines = stepped(node, cosines, 0, half, 1);
  sines = stepped(node, sines, 0, half, 1);
  const bool pairs = rotation.interleaved;
  const ValueId first = pairs ? stepped(node, x, 0, turned, 2) : stepped(node, x, 0, half, 1);
  const ValueId second = pairs ? stepped(node, x, 1, turned, 2) : stepped(node, x, half, turned, 1);
  const auto product = [&](ValueId a, ValueId b) {
    return node.binary(ElementwiseKind::Prod, a, b);
  };
  const ValueId real =
      node.binary(ElementwiseKind::Sub, product(cosines, first), product(sines, second));
  const ValueId imaginary =
      node.binary(ElementwiseKind::Sum, product(sines, first), product(cosines, second));
  const auto paired = [&] {
    const ValueIds parts = {node.unsqueeze(real, {4}), node.unsqueeze(imaginary, {4})};
    return node.reshape(node.concat(parts, 4), {0, 0, 0, turned});
  };
  const ValueId y = pairs ? paired() : node.concat({real, imaginary}, 3);
  if (turned == size) return y;
  return node.concat({y, stepped(node, x, turned, size, 1)}, 3);
}

ValueIds rotary_embedding(Node& node) {
  const int64_t heads = node.integer("num_heads", 0);
  if (node.rank(node.in(0)) == 3 && heads < 1)
    fail("num_heads is needed for an input of 3 dimensions");
  const auto table = [&](size_t input) {
    return node.has(3) ? rows(node, node.in(input), node.in(3)) : node.in(input);
  };
  return {embedded(node, table(1), table(2), heads, -1)};
}

ValueIds microsoft_rotary_embedding(Node& node) {
  const ValueId x = node.in(0);
  if (node.flag("is_packed_batching", false)) fail("is_packed_batching is 1; 0 is supported");
  if (const float scale = node.real("scale", 1); scale != 1)
    fail("scale is {}; 1 is supported", scale);
  ValueId places = node.in(1);
  if (node.rank(places) == 1) {  // that of the first element
    const ValueId all = count_up(node, one_dim(node, x, node.rank(x) - 2));
    places = node.unsqueeze(node.binary(ElementwiseKind::Sum, all, places), {0});
  }
  const int64_t heads = node.integer("num_heads", 0);
  const int64_t size = 2 * known_dim(node, node.in(2), 1, "the width of the table");
  return {embedded(node, rows(node, node.in(2), places), rows(node, node.in(3), places),
                   heads > 0 ? heads : -1, heads > 0 ? -1 : size)};
}

}  // namespace dlaexec::onnx
