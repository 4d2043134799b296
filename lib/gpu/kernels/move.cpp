// Ops that only move elements: views where memory allows, copies through map.cu elsewhere.
#include <algorithm>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/map_params.h"
#include "gpu/kernels/word.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

/// The part of @p whole from @p offset on, @p size long, along @p axis. It is walked by its strides
/// alone, so that what pads a whole pixel is left alone.
View part_of(View whole, size_t axis, int64_t offset, int64_t size) {
  whole.place.offset +=
      offset * whole.strides[axis] * static_cast<int64_t>(ir::size_bytes(whole.type));
  whole.dims[axis] = size;
  whole.arrangement = Arrangement::Dense;
  return whole;
}

/// Zeros for the channels that pad a pixel, when a concatenation leaves some.
void clear_padding(Lowering& lowering, const ir::Node& node, const View& whole) {
  if (whole.arrangement != Arrangement::Pixels || whole.pixel() == whole.dims[1]) return;
  View padding = part_of(whole, 1, whole.dims[1], whole.pixel() - whole.dims[1]);
  View zero;
  zero.type = whole.type;
  zero.place = lowering.constant_floats({0});
  zero.dims.assign(whole.dims.size(), 1);
  zero.strides.assign(whole.dims.size(), 0);
  lowering.copy(node, "padding", zero, padding);
}

void lower_concat(Lowering& lowering, const ir::Node& node) {
  const size_t axis = static_cast<size_t>(node.get<ir::AxisAttributes>().axis);
  const View whole = lowering.target_view(node.outputs[0]);
  int64_t at = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    View from = lowering.view(node.inputs[i]);
    from.arrangement = Arrangement::Dense;
    const int64_t size = from.dims[axis];
    lowering.copy(node, format("part {}", i), from, part_of(whole, axis, at, size));
    at += size;
  }
  clear_padding(lowering, node, whole);
}

void lower_split(Lowering& lowering, const ir::Node& node) {
  const size_t axis = static_cast<size_t>(node.get<ir::AxisAttributes>().axis);
  const View whole = lowering.view(node.inputs[0]);
  int64_t at = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const View to = lowering.target_view(node.outputs[i]);
    lowering.copy(node, format("part {}", i), part_of(whole, axis, at, to.dims[axis]), to);
    at += to.dims[axis];
  }
}

void lower_slice(Lowering& lowering, const ir::Node& node) {
  View from = lowering.view(node.inputs[0]);
  const ir::Graph& graph = lowering.graph();
  const std::vector<int64_t> starts = graph.constant(node, 1)->to_ints();
  std::vector<int64_t> axes, steps(starts.size(), 1);
  if (const ir::Tensor* given = graph.constant(node, 3)) axes = given->to_ints();
  if (const ir::Tensor* given = graph.constant(node, 4)) steps = given->to_ints();
  const View to = lowering.target_view(node.outputs[0]);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t rank = from.rank();
    const size_t axis =
        static_cast<size_t>(axes.empty() ? static_cast<int64_t>(i) : (axes[i] + rank) % rank);
    const int64_t size = from.dims[axis];
    const int64_t start = std::clamp(starts[i] < 0 ? starts[i] + size : starts[i], int64_t{0},
                                     steps[i] < 0 ? size - 1 : size);
    from.place.offset +=
        start * from.strides[axis] * static_cast<int64_t>(ir::size_bytes(from.type));
    from.strides[axis] *= steps[i];
    from.dims[axis] = to.dims[axis];
  }
  from.arrangement = Arrangement::Dense;
  lowering.copy(node, "", from, to);
}

/// One index of an axis, which is a slice without that axis.
void lower_one_index(Lowering& lowering, const ir::Node& node) {
  View from = lowering.view(node.inputs[0]);
  const size_t axis = static_cast<size_t>(node.get<ir::AxisAttributes>().axis);
  const ir::Tensor& indices = *lowering.graph().constant(node, 1);
  const int64_t index = indices.to_ints()[0];
  from = part_of(from, axis, index < 0 ? index + from.dims[axis] : index, 1);
  from.dims.erase(from.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  from.strides.erase(from.strides.begin() + static_cast<std::ptrdiff_t>(axis));
  from.dims.insert(from.dims.begin() + static_cast<std::ptrdiff_t>(axis),
                   static_cast<size_t>(indices.rank()), 1);
  from.strides.insert(from.strides.begin() + static_cast<std::ptrdiff_t>(axis),
                      static_cast<size_t>(indices.rank()), 0);
  lowering.copy(node, "", from, lowering.target_view(node.outputs[0]));
}

/// Gives the node's result as a view of its input's memory, or copies where it must lie elsewhere.
void give(Lowering& lowering, const ir::Node& node, const View& view) {
  if (!lowering.alias(node.outputs[0], view))
    lowering.copy(node, "", view, lowering.target_view(node.outputs[0]));
}

void lower_transpose(Lowering& lowering, const ir::Node& node) {
  const View from = lowering.view(node.inputs[0]);
  View turned = from;
  const ir::Ints& perm = node.get<ir::TransposeAttributes>().perm;
  for (size_t i = 0; i < perm.size(); ++i) {
    turned.dims[i] = from.dims[static_cast<size_t>(perm[i])];
    turned.strides[i] = from.strides[static_cast<size_t>(perm[i])];
  }
  turned.arrangement = Arrangement::Dense;
  give(lowering, node, turned);
}

/// @p view with other dimensions over the same memory; nothing when its strides do not allow it.
std::optional<View> reshaped(View view, const ir::Dims& dims) {
  ir::Dims old_dims;
  std::vector<int64_t> old_strides;
  for (size_t i = 0; i < view.dims.size(); ++i)
    if (view.dims[i] != 1) {
      old_dims.push_back(view.dims[i]);
      old_strides.push_back(view.strides[i]);
    }
  std::vector<int64_t> strides(dims.size(), 1);
  size_t from = 0, to = 0;
  while (from < old_dims.size()) {
    // The smallest runs of old and new dimensions that hold as many elements.
    size_t from_end = from + 1, to_end = to + 1;
    int64_t old_count = old_dims[from], new_count = dims[to];
    while (old_count != new_count)
      if (old_count < new_count)
        old_count *= old_dims[from_end++];
      else
        new_count *= dims[to_end++];
    for (size_t i = from; i + 1 < from_end; ++i)
      if (old_strides[i] != old_strides[i + 1] * old_dims[i + 1]) return std::nullopt;
    int64_t stride = old_strides[from_end - 1];
    for (size_t i = to_end; i-- > to;) {
      strides[i] = stride;
      stride *= dims[i];
    }
    from = from_end;
    to = to_end;
  }
  view.dims = dims;
  view.strides = std::move(strides);
  view.arrangement = Arrangement::Dense;
  return view;
}

void lower_reshape(Lowering& lowering, const ir::Node& node) {
  const ir::Dims dims = ir::dims_of(lowering.value(node.outputs[0]).shape);
  std::optional<View> view = reshaped(lowering.view(node.inputs[0]), dims);
  if (!view) view = reshaped(lowering.dense(node.inputs[0]), dims);
  give(lowering, node, *view);
}

/// Blocks of pixels to channels or back: a transpose of six dimensions.
void lower_depth(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::DepthAttributes>();
  const int64_t b = attributes.block;
  const View x = lowering.dense(node.inputs[0]);
  View y = lowering.target_dense(node.outputs[0]);
  const bool gathers = node.op == Op::SpaceToDepth;
  const bool dcr = gathers || attributes.order == ir::DepthOrder::Dcr;
  // The side with more channels is seen as [N, b, b, C, H, W] or [N, C, b, b, H, W], the other one
  // in the same order: rows of blocks, columns of blocks and channels apart.
  const View& deep = gathers ? y : x;
  const int64_t channels = (gathers ? x : y).dims[1], h = deep.dims[2], w = deep.dims[3];
  const int64_t plane = h * w, block = dcr ? channels * plane : plane;
  View from = x, to = y;
  View& deep_view = gathers ? to : from;
  View& wide_view = gathers ? from : to;
  deep_view.strides = {channels * b * b * plane,    b * block, block,
                       dcr ? plane : b * b * plane, w,         1};
  wide_view.strides = {channels * b * b * plane, w * b, 1, plane * b * b, w * b * b, b};
  from.dims = to.dims = {deep.dims[0], b, b, channels, h, w};
  lowering.copy(node, "", from, to);
}

bool is_one_index(const ir::Graph& graph, const ir::Node& node) {
  const ir::Tensor* indices = graph.constant(node, 1);
  return indices && indices->count() == 1;
}

bool is_constant(const ir::Graph& graph, const ir::Node& node, size_t index) {
  return ir::Graph::input(node, index) == ir::kNoValue || graph.constant(node, index) != nullptr;
}

}  // namespace

std::optional<std::string> why_not_move(const ir::Graph& graph, const ir::Node& node,
                                        const Target& target) {
  const size_t data_inputs = node.op == Op::Concat ? node.inputs.size() : 1;
  const ir::Value& out = graph.value(node.outputs[0]);
  for (size_t i = 0; i < data_inputs; ++i) {
    const ir::Value& in = graph.value(node.inputs[i]);
    const bool computes = is_device_type(in.type) && is_device_type(out.type);
    if (!computes)
      if (auto reason = why_not_words(in, out)) return reason;
    if (in.shape.size() > kMapRank || out.shape.size() > kMapRank)
      return format("{} dimensions", std::max(in.shape.size(), out.shape.size()));
  }
  if (node.op == Op::Gather && !is_one_index(graph, node))
    return why_not_index(graph, node, target);
  if (node.op == Op::Slice)
    for (size_t i = 1; i < node.inputs.size(); ++i)
      if (!is_constant(graph, node, i)) return std::string("bounds that data decides");
  return std::nullopt;
}

void lower_move(Lowering& lowering, const ir::Node& node) {
  switch (node.op) {
    case Op::Concat:
      return lower_concat(lowering, node);
    case Op::Split:
      return lower_split(lowering, node);
    case Op::Slice:
      return lower_slice(lowering, node);
    case Op::Gather:
      return is_one_index(lowering.graph(), node) ? lower_one_index(lowering, node)
                                                  : lower_index(lowering, node);
    case Op::Transpose:
      return lower_transpose(lowering, node);
    case Op::DepthToSpace:
    case Op::SpaceToDepth:
      return lower_depth(lowering, node);
    case Op::Expand:
      return lowering.copy(node, "", lowering.view(node.inputs[0]),
                           lowering.target_view(node.outputs[0]));
    default:
      return lower_reshape(lowering, node);
  }
}

}  // namespace dlaexec::gpu
