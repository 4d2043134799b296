// Launches of resize.cu. Which input positions make which output, and their shares, are tables that
// ref/ defines.
#include "ref/resize.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/resize_params.h"

namespace dlaexec::gpu {
namespace {

/// The axes that do not stay as they are.
std::vector<ref::ResizedAxis> resized_axes(const ir::Graph& graph, const ir::Node& node) {
  ref::ResizeSizes sizes;
  if (const ir::Tensor* given = graph.constant(node, 3)) sizes.sizes = given->to_ints();
  if (const ir::Tensor* given = graph.constant(node, 2)) sizes.scales = given->to_floats();
  if (const ir::Tensor* given = graph.constant(node, 1)) sizes.roi = given->to_floats();
  std::vector<ref::ResizedAxis> axes = ref::resized_axes(
      node.get<ir::ResizeAttributes>(), ir::dims_of(graph.value(node.inputs[0]).shape), sizes);
  std::erase_if(axes, [](const auto& axis) { return axis.in == axis.out && axis.scale == 1; });
  return axes;
}

/// The taps of one axis, each output position with as many.
struct Table {
  int taps = 1;
  std::vector<int> indices;
  std::vector<float> weights;
};

Table table_of(const ir::ResizeAttributes& attributes, const ref::ResizedAxis& axis) {
  std::vector<std::vector<ref::ResizeTap>> all;
  Table table;
  for (int64_t position = 0; position < axis.out; ++position) {
    all.push_back(ref::resize_taps(attributes, axis, position));
    table.taps = std::max(table.taps, static_cast<int>(all.back().size()));
  }
  for (std::vector<ref::ResizeTap>& taps : all) {
    taps.resize(static_cast<size_t>(table.taps), {0, 0});
    for (const ref::ResizeTap& tap : taps) {
      table.indices.push_back(static_cast<int>(tap.index));
      table.weights.push_back(static_cast<float>(tap.weight));
    }
  }
  return table;
}

/// Axes of @p y as they lie in memory, outermost first.
std::vector<size_t> order_of(const View& y) {
  std::vector<size_t> axes(y.dims.size());
  std::iota(axes.begin(), axes.end(), size_t{0});
  std::stable_sort(axes.begin(), axes.end(),
                   [&](size_t a, size_t b) { return y.strides[a] > y.strides[b]; });
  return axes;
}

ResizeParams parameters(const View& x, const View& y) {
  ResizeParams p{};
  for (auto* list : {p.dims, p.valid}) std::fill_n(list, kResizeRank, 1);
  std::fill_n(p.axes, kResizedAxes, -1);
  std::fill_n(p.taps, kResizedAxes, 1);
  const std::vector<size_t> axes = order_of(y);
  p.count = 1;
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = axes[i], at = kResizeRank - axes.size() + i;
    const bool is_channel = y.arrangement == Arrangement::Pixels && axis == 1;
    p.dims[at] = static_cast<int>(is_channel ? y.pixel() : y.dims[axis]);
    p.valid[at] = static_cast<int>(y.dims[axis]);
    p.x_strides[at] = x.strides[axis];
    p.y_strides[at] = y.strides[axis];
    p.count *= p.dims[at];
  }
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  return p;
}

Place constant_ints(Lowering& lowering, std::vector<int> values) {
  const int64_t bytes = static_cast<int64_t>(values.size() * sizeof(int));
  return lowering.constant(bytes, [values = std::move(values)] {
    std::vector<std::byte> made(values.size() * sizeof(int));
    std::memcpy(made.data(), values.data(), made.size());
    return made;
  });
}

}  // namespace

std::optional<std::string> why_not_resize(const ir::Graph& graph, const ir::Node& node,
                                          const Target&) {
  const auto& attributes = node.get<ir::ResizeAttributes>();
  for (const ir::ValueId id : {node.inputs[0], node.outputs[0]}) {
    const ir::Value& value = graph.value(id);
    if (!is_device_type(value.type)) return format("elements of type {}", ir::text(value.type));
    if (value.shape.size() > kResizeRank) return format("{} dimensions", value.shape.size());
  }
  if (attributes.coordinates == ir::CoordinateMode::TfCropAndResize)
    return std::string("crops of a region");
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] != ir::kNoValue && !graph.constant(node, i))
      return std::string("sizes that data decides");
  const size_t resized = resized_axes(graph, node).size();
  if (resized > kResizedAxes) return format("{} axes that are resized", resized);
  return std::nullopt;
}

void lower_resize(Lowering& lowering, const ir::Node& node) {
  const auto& attributes = node.get<ir::ResizeAttributes>();
  const View x = lowering.view(node.inputs[0]);
  const View y = lowering.target_view(node.outputs[0]);
  ResizeParams p = parameters(x, y);
  const std::vector<size_t> order = order_of(y);
  std::vector<int> indices = {0};  // what unused axes find
  std::vector<float> weights = {1};
  int used = 0;
  for (const ref::ResizedAxis& axis : resized_axes(lowering.graph(), node)) {
    const Table table = table_of(attributes, axis);
    const auto found = std::find(order.begin(), order.end(), axis.axis);
    const size_t at = kResizeRank - order.size() + static_cast<size_t>(found - order.begin());
    p.axes[used] = static_cast<int>(at);
    p.taps[used] = table.taps;
    p.tables[used] = static_cast<int>(indices.size());
    p.steps[used++] = std::exchange(p.x_strides[at], 0);
    indices.insert(indices.end(), table.indices.begin(), table.indices.end());
    weights.insert(weights.end(), table.weights.begin(), table.weights.end());
  }
  if (used == 0) return lowering.copy(node, "", x, y);
  const Kernel kernel{"resize.cu",
                      format("resize<{}, {}>", device_type(x.type), device_type(y.type))};
  const Place index_place = constant_ints(lowering, std::move(indices));
  const Place weight_place = lowering.constant_floats(std::move(weights));
  Step& step = lowering.add(node, "", kernel, {{ceil_div(p.count, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &ResizeParams::x, x.place);
  patch(step, &ResizeParams::y, y.place);
  patch(step, &ResizeParams::indices, index_place);
  patch(step, &ResizeParams::weights, weight_place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

}  // namespace dlaexec::gpu
