// Launches of pool.cu.
#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/window.h"
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

namespace {

WindowParams parameters(const ir::PoolAttributes& a, const View& x, const View& y) {
  const auto number = [](int64_t value) { return static_cast<int>(value); };
  WindowParams p{};
  p.images = number(x.dims[0]);
  p.channels = number(x.dims[1]);
  p.in_h = number(x.dims[2]);
  p.in_w = number(x.dims[3]);
  p.out_h = number(y.dims[2]);
  p.out_w = number(y.dims[3]);
  p.vectors = number(y.pixel() / vector_elements(x.type));
  p.x_pixel = number(x.pixel());
  p.y_pixel = number(y.pixel());
  p.taps_h = number(a.kernel.at(0));
  p.taps_w = number(a.kernel.at(1));
  const Window window = window_of(a);
  p.stride_h = number(window.stride[0]);
  p.stride_w = number(window.stride[1]);
  p.pad_h = number(window.pad[0]);
  p.pad_w = number(window.pad[1]);
  p.end_pad_h = number(window.end_pad[0]);
  p.end_pad_w = number(window.end_pad[1]);
  p.dilation_h = number(window.dilation[0]);
  p.dilation_w = number(window.dilation[1]);
  p.count_include_pad = a.count_include_pad ? 1 : 0;
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  return p;
}

}  // namespace

void lower_pool(Lowering& lowering, const ir::Node& node) {
  const auto& a = node.get<ir::PoolAttributes>();
  const View x = lowering.pixels(node.inputs[0]), y = lowering.target_pixels(node.outputs[0]);
  const WindowParams p = parameters(a, x, y);
  const bool square =
      p.taps_h == p.taps_w && p.taps_w <= 3 && p.dilation_h == 1 && p.dilation_w == 1;
  const Kernel kernel{
      "pool.cu", format("pool<{}, {}, {}, {}, {}>", device_type(x.type), device_type(y.type),
                        a.kind == ir::PoolKind::Max ? "Max" : "Average", vector_elements(x.type),
                        square ? p.taps_w : 0)};
  const int64_t items = p.images * int64_t{p.out_h} * p.out_w * p.vectors;
  Step& step = lowering.add(node, "", kernel, {{ceil_div(items, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &WindowParams::x, x.place);
  patch(step, &WindowParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
}

}  // namespace dlaexec::gpu
