// Launches of sample.cu: grid samples and pooled regions.
#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/sample_params.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

std::string_view mode_name(ir::SampleMode mode) {
  return mode == ir::SampleMode::Linear    ? "Linear"
         : mode == ir::SampleMode::Nearest ? "Nearest"
                                           : "Cubic";
}

std::string_view padding_name(ir::SamplePadding padding) {
  return padding == ir::SamplePadding::Zeros    ? "Zeros"
         : padding == ir::SamplePadding::Border ? "Border"
                                                : "Reflection";
}

SampleParams parameters(const View& x, const View& y) {
  SampleParams p{};
  p.count = ir::volume(y.dims);
  p.all_images = static_cast<int>(x.dims[0]);
  p.channels = static_cast<int>(x.dims[1]);
  p.in_h = static_cast<int>(x.dims[2]);
  p.in_w = static_cast<int>(x.dims[3]);
  p.out_h = static_cast<int>(y.dims[2]);
  p.out_w = static_cast<int>(y.dims[3]);
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  return p;
}

Kernel grid_kernel(const ir::Node& node, const View& x, const View& points, const View& y) {
  const auto& a = node.get<ir::GridSampleAttributes>();
  return {"sample.cu", format("grid_sample<{}, {}, {}, {}, {}, {}>", device_type(x.type),
                              device_type(points.type), device_type(y.type), mode_name(a.mode),
                              padding_name(a.padding), a.align_corners)};
}

/// The kernel of pooled regions, and their part of the parameters.
Kernel region_kernel(const ir::Node& node, const View& x, const View& points, const View& images,
                     const View& y, SampleParams& p) {
  const auto& a = node.get<ir::RoiAlignAttributes>();
  p.ratio = static_cast<int>(a.sampling_ratio);
  p.half = a.coordinates == ir::RoiCoordinates::HalfPixel ? 1 : 0;
  p.spatial = a.spatial_scale;
  return {"sample.cu",
          format("roi_align<{}, {}, {}, {}, {}>", device_type(x.type), device_type(points.type),
                 stored_type(images.type), device_type(y.type), a.kind == ir::RoiPoolKind::Max)};
}

}  // namespace

std::optional<std::string> why_not_sample(const ir::Graph& graph, const ir::Node& node,
                                          const Target&) {
  const ir::Value &x = graph.value(node.inputs[0]), &points = graph.value(node.inputs[1]),
                  &y = graph.value(node.outputs[0]);
  if (x.shape.size() != 4) return format("samples of {} dimensions", x.shape.size());
  for (const ir::Value* value : {&x, &y})
    if (!is_device_type(value->type)) return format("elements of type {}", ir::text(value->type));
  if (points.type != ir::DataType::Float32 && points.type != ir::DataType::Float16)
    return format("coordinates of type {}", ir::text(points.type));
  if (node.op == Op::GridSample) return std::nullopt;
  const ir::DataType images = graph.value(node.inputs[2]).type;
  if (images != ir::DataType::Int32 && images != ir::DataType::Int64)
    return format("numbers of images of type {}", ir::text(images));
  return std::nullopt;
}

void lower_sample(Lowering& lowering, const ir::Node& node) {
  const bool regions = node.op == Op::RoiAlign;
  const View x = lowering.dense(node.inputs[0]), points = lowering.dense(node.inputs[1]);
  const View images = regions ? lowering.dense(node.inputs[2]) : View{};
  const View y = lowering.target_dense(node.outputs[0]);
  SampleParams p = parameters(x, y);
  const Kernel kernel =
      regions ? region_kernel(node, x, points, images, y, p) : grid_kernel(node, x, points, y);
  Step& step = lowering.add(node, "", kernel, {{ceil_div(p.count, 256), 1, 1}, {256, 1, 1}}, p);
  patch(step, &SampleParams::x, x.place);
  patch(step, &SampleParams::points, points.place);
  patch(step, &SampleParams::images, images.place);
  patch(step, &SampleParams::y, y.place);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(points) + span_bytes(y));
}

}  // namespace dlaexec::gpu
