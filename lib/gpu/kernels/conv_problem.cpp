#include "gpu/kernels/conv_problem.h"

#include "gpu/kernels/window.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;

template <class Attributes>
Conv read(const ir::Graph& graph, const ir::Node& node) {
  const auto& a = node.get<Attributes>();
  const ir::Value &x = graph.value(node.inputs[0]), &y = graph.value(node.outputs[0]);
  const ir::Dims in = ir::dims_of(x.shape), out = ir::dims_of(y.shape),
                 kernel = ir::dims_of(graph.value(node.inputs[1]).shape);
  Conv c{};
  c.in = x.type;
  c.out = y.type;
  c.images = in[0];
  c.c = in[1];
  c.h = in[2];
  c.w = in[3];
  c.k = out[1];
  c.out_h = out[2];
  c.out_w = out[3];
  c.taps_h = kernel[2];
  c.taps_w = kernel[3];
  const Window window = window_of(a);
  c.stride_h = window.stride[0];
  c.stride_w = window.stride[1];
  c.pad_h = window.pad[0];
  c.pad_w = window.pad[1];
  c.dilation_h = window.dilation[0];
  c.dilation_w = window.dilation[1];
  c.groups = a.groups;
  c.residual = a.residual;
  c.activation = a.activation;
  c.alpha = a.alpha;
  c.beta = a.beta;
  c.x = node.inputs[0];
  c.weights = node.inputs[1];
  const size_t last = node.inputs.size() - 1;
  c.residual_value = a.residual ? node.inputs[last] : ir::kNoValue;
  c.bias = last >= 2 && !(a.residual && last == 2) ? node.inputs[2] : ir::kNoValue;
  c.y = node.outputs[0];
  return c;
}

/// Elements of the weights that one output channel has.
int64_t sum_length(const Conv& c) { return c.c / c.groups * c.taps_h * c.taps_w; }

}  // namespace

Conv conv_of(const ir::Graph& graph, const ir::Node& node) {
  return node.op == ir::Op::Deconv ? read<ir::DeconvAttributes>(graph, node)
                                   : read<ir::ConvAttributes>(graph, node);
}

std::string problem_text(const Conv& c, const std::optional<DataType>& residual) {
  const std::string groups = c.groups > 1 ? format(" g{}", c.groups) : "";
  return format("conv {} {} {} {} x{}x{}x{}x{} k{} {}x{} s{}x{} p{}x{} d{}x{} y{}x{}{}",
                ir::text(c.in), ir::text(c.out), residual ? ir::text(*residual) : "none",
                ir::text(c.activation), c.images, c.c, c.h, c.w, c.k, c.taps_h, c.taps_w,
                c.stride_h, c.stride_w, c.pad_h, c.pad_w, c.dilation_h, c.dilation_w, c.out_h,
                c.out_w, groups);
}

bool is_depthwise(const Conv& c) { return c.groups > 1 && c.groups == c.c && c.groups == c.k; }

bool reads_rows(const Conv& c) {
  return c.taps_h * c.taps_w == 1 && c.stride_h == 1 && c.stride_w == 1 && c.pad_h == 0 &&
         c.pad_w == 0 && c.out_h == c.h && c.out_w == c.w;
}

int64_t image_channels(const Conv& c) {
  const int64_t channels = c.in == DataType::Int8 ? 8 : 4;
  const int64_t pixel_bytes = channels * static_cast<int64_t>(ir::size_bytes(c.in));
  const bool fits = c.groups == 1 && c.c <= channels && c.dilation_w == 1 &&
                    c.stride_w * pixel_bytes % 16 == 0 && c.images <= 65535;
  return fits ? channels : 0;
}

std::vector<float> padded_bias(const Lowering& lowering, ir::ValueId id, int64_t k) {
  std::vector<float> bias;
  if (id != ir::kNoValue) bias = lowering.value(id).constant->to_floats();
  if (bias.size() == 1) bias.assign(static_cast<size_t>(k), bias[0]);
  bias.resize(static_cast<size_t>(padded(k)));
  return bias;
}

std::vector<float> multipliers(const Lowering& lowering, const Conv& c) {
  const std::vector<float>& scales = lowering.value(c.weights).quantization.scales;
  const float x = lowering.value(c.x).quantization.scales[0];
  std::vector<float> result(static_cast<size_t>(padded(c.k)));
  for (size_t k = 0; k < static_cast<size_t>(c.k); ++k)
    result[k] = x * scales[scales.size() == 1 ? 0 : k];
  return result;
}

double bytes_of(const Conv& c, bool residual) {
  const auto size = [](ir::DataType type) { return static_cast<int64_t>(ir::size_bytes(type)); };
  const int64_t out = c.images * c.k * c.out_h * c.out_w * size(c.out);
  const int64_t in = (c.images * c.c * c.h * c.w + c.k * sum_length(c)) * size(c.in);
  return static_cast<double>(in + out * (residual ? 2 : 1));
}

double operations_of(const Conv& c) {
  return 2.0 * static_cast<double>(c.images * c.k * c.out_h * c.out_w) *
         static_cast<double>(sum_length(c));
}

}  // namespace dlaexec::gpu
