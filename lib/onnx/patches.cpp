// Ops that put patches of images together, or read them, at computed positions.
#include <numeric>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

ValueId plus(Node& node, ValueId a, ValueId b) { return node.binary(ElementwiseKind::Sum, a, b); }
ValueId times(Node& node, ValueId a, ValueId b) { return node.binary(ElementwiseKind::Prod, a, b); }

/// 0, 1, ..., count - 1 for a count of shape [1].
ValueId counting(Node& node, ValueId count) {
  const ValueId end = node.squeeze(count, {0});
  return node.add(Op::Range, {node.number(0, end), end, node.number(1, end)});
}

/// a[i] + b[k] for every i and k, in one dimension.
ValueId all_sums(Node& node, ValueId a, ValueId b) {
  return node.reshape(plus(node, node.unsqueeze(a, {1}), node.unsqueeze(b, {0})), {-1});
}

/// Adds rows of @p updates [n, m] to zeros [count, m] at the rows that @p index [n] names.
ValueId scattered(Node& node, ValueId updates, ValueId index, ValueId count,
                  ir::Reduction reduction) {
  ir::ConstantOfShapeAttributes zeros;
  zeros.type = node.type_of(updates);
  const ValueId shape = node.concat({count, node.shape_of(updates, 1, 2)}, 0);
  ir::ScatterAttributes attributes;
  attributes.reduction = reduction;
  return node.add(
      Op::ScatterNd,
      {node.add(Op::ConstantOfShape, {shape}, zeros), node.unsqueeze(index, {1}), updates},
      attributes);
}

/// The entries of a window's attribute along each axis.
ir::Ints entries(Node& node, std::string_view name, size_t count, int64_t otherwise) {
  const ir::Ints found = node.ints(name, ir::Ints(count, otherwise));
  if (found.size() != count) fail("{} has {} entries; {} are needed", name, found.size(), count);
  return found;
}

}  // namespace

ValueIds col2im(Node& node) {
  const ValueId x = node.in(0);  // [N, C * taps, positions]
  const ir::Shape& counted = node.shape(node.in(1));
  constexpr int64_t kMostDimensions = 8;
  if (node.rank(x) != 3 || counted.size() != 1 || !counted[0].is_known() || counted[0].value < 1 ||
      counted[0].value > kMostDimensions)
    fail("the input must have 3 dimensions, and the image a known number of them, 1 to {}",
         kMostDimensions);
  const auto spatial = static_cast<size_t>(counted[0].value);
  const ir::Ints stride = entries(node, "strides", spatial, 1);
  const ir::Ints dilation = entries(node, "dilations", spatial, 1);
  const ir::Ints pads = entries(node, "pads", 2 * spatial, 0);
  const ValueId image = node.cast(node.in(1), ir::DataType::Int64);
  const ValueId block = node.cast(node.in(2), ir::DataType::Int64);
  const ir::Ints before(pads.begin(), pads.begin() + static_cast<long>(spatial));
  ir::Ints around = before;
  for (size_t d = 0; d < spatial; ++d) around[d] += pads[d + spatial];
  const ValueId padded = plus(node, image, node.ints_constant(around));
  // Positions in the padded image, row-major: of a window's taps, and of the windows.
  ValueId taps = node.ints_constant({0}), windows = taps;
  for (size_t d = 0; d < spatial; ++d) {
    const auto at = static_cast<int64_t>(d);
    const ValueId size = node.slice(padded, 0, at, at + 1);
    const ValueId kernel = node.slice(block, 0, at, at + 1);
    const ValueId apart = node.ints_constant({dilation[d]}), step = node.ints_constant({stride[d]});
    const ValueId reach = times(node, plus(node, kernel, node.ints_constant({-1})), apart);
    const ValueId room = plus(node, node.binary(ElementwiseKind::Sub, size, reach),
                              node.ints_constant({stride[d] - 1}));
    const ValueId count = node.binary(ElementwiseKind::Div, room, step);
    taps = all_sums(node, times(node, taps, size), times(node, counting(node, kernel), apart));
    windows = all_sums(node, times(node, windows, size), times(node, counting(node, count), step));
  }
  const ValueId index = all_sums(node, taps, windows);
  const ValueId each = node.concat({node.ints_constant({-1}), node.shape_of(index)}, 0);
  const ValueId rows = node.transpose(node.reshape_to(x, each), {1, 0});
  const ValueId pixels = node.reduce(ir::ReduceKind::Prod, padded, {0}, true);
  const ValueId sums =
      node.transpose(scattered(node, rows, index, pixels, ir::Reduction::Add), {1, 0});
  const ValueId whole = node.reshape_to(
      sums, node.concat({node.shape_of(x, 0, 1), node.ints_constant({-1}), padded}, 0));
  ir::Ints axes(spatial);
  std::iota(axes.begin(), axes.end(), 2);
  const ValueId start = node.ints_constant(before);
  return {node.add(Op::Slice, {whole, start, plus(node, image, start), node.ints_constant(axes)})};
}

ValueIds max_unpool(Node& node) {
  const ValueId x = node.in(0);
  const int64_t rank = node.rank(x);
  if (rank < 3) fail("the input has {} dimensions; 3 or more are needed", rank);
  const auto spatial = static_cast<size_t>(rank - 2);
  const ir::Ints kernel = node.ints("kernel_shape");
  if (kernel.size() != spatial)
    fail("kernel_shape has {} entries; {} are needed", kernel.size(), spatial);
  const ir::Ints stride = entries(node, "strides", spatial, 1);
  const ir::Ints pads = entries(node, "pads", 2 * spatial, 0);
  // What the pool that left the indices had as its input: (x - 1) * stride + kernel - pads.
  ir::Ints factor(2, 1), shift(2, 0);
  for (size_t d = 0; d < spatial; ++d) {
    factor.push_back(stride[d]);
    shift.push_back(kernel[d] - stride[d] - pads[d] - pads[d + spatial]);
  }
  const ValueId shape = plus(node, times(node, node.shape_of(x), node.ints_constant(factor)),
                             node.ints_constant(shift));
  const ValueId pixels = node.reduce(ir::ReduceKind::Prod, shape, {0}, true);
  const ValueId flat = scattered(node, node.reshape(x, {-1, 1}), node.reshape(node.in(1), {-1}),
                                 pixels, ir::Reduction::None);
  const ValueId y = node.reshape_to(flat, shape);
  if (!node.has(2)) return {y};
  // A larger shape was pooled with cells that no window reached: they come back as zeros.
  const ValueId more =
      node.binary(ElementwiseKind::Sub, node.cast(node.in(2), ir::DataType::Int64), shape);
  const ValueId none = node.ints_constant(ir::Ints(static_cast<size_t>(rank), 0));
  return {node.add(Op::Pad, {y, node.concat({none, more}, 0)})};
}

namespace {

/// The numbers of a deformable convolution over [N, C, H, W].
struct Deformed {
  ValueId x, weights, offset;
  int64_t outputs, channels, taps;  ///< channels: of one group
  int64_t groups, offset_groups;
  ir::Ints kernel, stride, dilation, pads;
};

int64_t known_size(Node& node, ValueId id, int64_t axis) {
  const ir::Dim& dim = node.dim(id, axis);
  if (!dim.is_known()) fail("the sizes of '{}' must be known", node.value(id).name);
  return dim.value;
}

Deformed read_deformed(Node& node) {
  Deformed conv{};
  conv.x = node.in(0);
  conv.weights = node.in(1);
  conv.offset = node.in(2);
  if (node.rank(conv.x) != 4 || node.rank(conv.weights) != 4 || node.rank(conv.offset) != 4)
    fail("input, weights and offsets must have 4 dimensions");
  conv.outputs = known_size(node, conv.weights, 0);
  conv.channels = known_size(node, conv.weights, 1);
  conv.kernel = {known_size(node, conv.weights, 2), known_size(node, conv.weights, 3)};
  if (node.ints("kernel_shape", conv.kernel) != conv.kernel)
    fail("kernel_shape differs from the shape of '{}'", node.value(conv.weights).name);
  conv.taps = conv.kernel[0] * conv.kernel[1];
  conv.groups = node.integer("group", 1);
  conv.offset_groups = node.integer("offset_group", 1);
  if (conv.groups < 1 || conv.offset_groups < 1 || conv.outputs % conv.groups != 0 ||
      conv.channels * conv.groups % conv.offset_groups != 0)
    fail("group {} and offset_group {} do not divide {} outputs and {} channels", conv.groups,
         conv.offset_groups, conv.outputs, conv.channels * conv.groups);
  conv.stride = entries(node, "strides", 2, 1);
  conv.dilation = entries(node, "dilations", 2, 1);
  conv.pads = entries(node, "pads", 4, 0);
  return conv;
}

/// Where each tap reads along one axis (0: y), as grid_sample counts: [-1, 1] from edge to edge.
/// [N * offset groups, taps, output height, output width]
ValueId sampled_at(Node& node, const Deformed& conv, ValueId offsets, int64_t axis) {
  const auto d = static_cast<size_t>(axis);
  std::vector<float> first;  // of each tap, for the first output
  for (int64_t tap = 0; tap < conv.taps; ++tap) {
    const int64_t k = axis == 0 ? tap / conv.kernel[1] : tap % conv.kernel[1];
    first.push_back(static_cast<float>(k * conv.dilation[d] - conv.pads[d]));
  }
  const ValueId tap = node.constant(ir::Tensor::of<float>({conv.taps, 1, 1}, first));
  const ValueId count = node.shape_of(conv.offset, 2 + axis, 3 + axis);
  const ValueId steps =
      times(node, node.cast(counting(node, count), ir::DataType::Float32),
            node.constant(ir::Tensor::scalar(static_cast<float>(conv.stride[d]))));
  const ValueId start = node.unsqueeze(steps, axis == 0 ? ir::Ints{1} : ir::Ints{0});
  const ValueId moved =
      node.cast(node.squeeze(node.slice(offsets, 2, axis, axis + 1), {2}), ir::DataType::Float32);
  const ValueId pixel = plus(node, moved, plus(node, tap, start));
  const ValueId size = node.cast(node.shape_of(conv.x, 2 + axis, 3 + axis), ir::DataType::Float32);
  const ValueId centre =
      plus(node, times(node, pixel, node.number(2, pixel)), node.number(1, pixel));
  return plus(node, node.binary(ElementwiseKind::Div, centre, size), node.number(-1, pixel));
}

/// The input at every tap of every output: [N, C, taps, output height, output width].
ValueId read_taps(Node& node, const Deformed& conv) {
  const ValueId output = node.shape_of(conv.offset, 2, 4);
  const ValueId offsets = node.reshape_to(
      conv.offset, node.concat({node.ints_constant({-1, conv.taps, 2}), output}, 0));
  const ValueId grid = node.concat({node.unsqueeze(sampled_at(node, conv, offsets, 1), {4}),
                                    node.unsqueeze(sampled_at(node, conv, offsets, 0), {4})},
                                   4);
  const ValueId rows =
      node.concat({node.ints_constant({-1}),
                   times(node, node.slice(output, 0, 0, 1), node.ints_constant({conv.taps})),
                   node.slice(output, 0, 1, 2), node.ints_constant({2})},
                  0);
  const int64_t channels = conv.channels * conv.groups / conv.offset_groups;
  const ValueId planes = node.reshape_to(
      conv.x, node.concat({node.ints_constant({-1, channels}), node.shape_of(conv.x, 2, 4)}, 0));
  const ValueId flat_grid = node.cast(node.reshape_to(grid, rows), node.type_of(conv.x));
  const ValueId read = node.add(Op::GridSample, {planes, flat_grid}, ir::GridSampleAttributes());
  const ValueId by_tap = node.reshape_to(
      read, node.concat({node.ints_constant({-1, channels, conv.taps}), output}, 0));
  if (!node.has(4)) return by_tap;
  const ValueId mask =
      node.reshape_to(node.in(4), node.concat({node.ints_constant({-1, 1, conv.taps}), output}, 0));
  return times(node, by_tap, mask);
}

}  // namespace

ValueIds deform_conv(Node& node) {
  const Deformed conv = read_deformed(node);
  const int64_t terms = conv.channels * conv.taps;
  const ValueId columns = node.reshape_to(
      read_taps(node, conv),
      node.concat({node.shape_of(conv.x, 0, 1), node.ints_constant({conv.groups, terms, -1})}, 0));
  const ValueId weights =
      node.reshape(conv.weights, {conv.groups, conv.outputs / conv.groups, terms});
  const ValueId sums = node.add(Op::MatMul, {weights, columns});
  const ValueId y = node.reshape_to(
      sums, node.concat({node.shape_of(conv.x, 0, 1), node.ints_constant({conv.outputs}),
                         node.shape_of(conv.offset, 2, 4)},
                        0));
  if (!node.has(3)) return {y};
  return {plus(node, y, node.unsqueeze(node.in(3), {1, 2}))};
}

}  // namespace dlaexec::onnx
