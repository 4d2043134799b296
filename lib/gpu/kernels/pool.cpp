// Launches of pool.cu.
#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/window_params.h"

namespace dlaexec::gpu {

std::optional<std::string> why_not_pool(const ir::Graph& graph, const ir::Node& node,
                                        const Target&) {
  const auto& a = node.get<ir::PoolAttributes>();
  const ir::Value &x = graph.value(node.inputs[0]), &y = graph.value(node.outputs[0]);
  if (x.shape.size() != 4) return format("{}-D pooling", static_cast<int>(x.shape.size()) - 2);
  if (node.outputs.size() > 1 && node.outputs[1] != ir::kNoValue)
    return std::string("pooling that gives indices");
  if (a.kind == ir::PoolKind::Lp) return std::string("lp pooling");
  if (x.type != y.type || !is_device_type(x.type))
    return format("pooling from {} to {}", ir::text(x.type), ir::text(y.type));
  return std::nullopt;
}

void lower_pool(Lowering& lowering, const ir::Node& node) {
  const auto& a = node.get<ir::PoolAttributes>();
  const View x = lowering.pixels(node.inputs[0]), y = lowering.target_pixels(node.outputs[0]);
  const auto at = [](const ir::Ints& list, size_t index, int64_t otherwise) {
    return static_cast<int>(index < list.size() ? list[index] : otherwise);
  };
  WindowParams p{};
  p.images = static_cast<int>(x.dims[0]);
  p.channels = static_cast<int>(x.dims[1]);
  p.in_h = static_cast<int>(x.dims[2]);
  p.in_w = static_cast<int>(x.dims[3]);
  p.out_h = static_cast<int>(y.dims[2]);
  p.out_w = static_cast<int>(y.dims[3]);
  const int64_t vec = vector_elements(x.type);
  p.vectors = static_cast<int>(y.pixel() / vec);
  p.x_pixel = static_cast<int>(x.pixel());
  p.y_pixel = static_cast<int>(y.pixel());
  p.taps_h = at(a.kernel, 0, 1);
  p.taps_w = at(a.kernel, 1, 1);
  p.stride_h = at(a.stride, 0, 1);
  p.stride_w = at(a.stride, 1, 1);
  p.pad_h = at(a.pads, 0, 0);
  p.pad_w = at(a.pads, 1, 0);
  p.end_pad_h = at(a.pads, 2, 0);
  p.end_pad_w = at(a.pads, 3, 0);
  p.dilation_h = at(a.dilation, 0, 1);
  p.dilation_w = at(a.dilation, 1, 1);
  p.count_include_pad = a.count_include_pad ? 1 : 0;
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  const bool square =
      p.taps_h == p.taps_w && p.taps_w <= 3 && p.dilation_h == 1 && p.dilation_w == 1;
  const Kernel kernel{
      "pool.cu",
      format("pool<{}, {}, {}, {}, {}>", device_type(x.type), device_type(y.type),
             a.kind == ir::PoolKind::Max ? "Max" : "Average", vec, square ? p.taps_w : 0)};
  const int64_t items = p.images * int64_t{p.out_h} * p.out_w * p.vectors;
  Step& step = lowering.add(node, "", kernel, {{ceil_div(items, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &WindowParams::x, x.place);
  patch(step, &WindowParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

}  // namespace dlaexec::gpu
