// Convolution, fully connected and deconvolution layers.
#include "dla/cbuf.h"
#include "dla/layer_reading.h"

namespace dlaexec::dla {
namespace {

using namespace ir;

bool is_fully_connected(Op op) { return op == Op::Gemm || op == Op::MatMul; }

Dims kernel_dims(const Layer& layer) {
  const Dims weights = input_dims(layer, 1);
  if (is_fully_connected(layer.node.op)) return {1, 1};
  return weights.size() < 3 ? Dims{} : Dims(weights.begin() + 2, weights.end());
}
Values read_kernel(const Layer& layer) { return to_values(kernel_dims(layer)); }

/// One list of the attributes that convolutions and deconvolutions share.
template <class Read>
Values of_convolution(const Layer& layer, Read&& read) {
  if (const auto* conv = attributes_of<ConvAttributes>(layer)) return to_values(read(*conv));
  if (const auto* deconv = attributes_of<DeconvAttributes>(layer)) return to_values(read(*deconv));
  return {};
}
Values read_padding(const Layer& layer) {
  return of_convolution(layer, [](const auto& attributes) { return attributes.pads; });
}
Values read_stride(const Layer& layer) {
  return of_convolution(layer, [](const auto& attributes) { return attributes.stride; });
}
Values read_dilation(const Layer& layer) {
  return of_convolution(layer, [](const auto& attributes) { return attributes.dilation; });
}
bool reads_hwc4(const Layer& layer) {
  const Value* input = input_value(layer, 0);
  return input && input->format == Format::DlaHwc4;
}
Values read_groups_if(const Layer& layer, bool hwc4) {
  if (reads_hwc4(layer) != hwc4) return {};
  return of_convolution(layer, [](const auto& attributes) { return Ints{attributes.groups}; });
}
Values read_groups(const Layer& layer) { return read_groups_if(layer, false); }
Values read_hwc4_groups(const Layer& layer) { return read_groups_if(layer, true); }
Values read_hwc4_channels(const Layer& layer) {
  const Dims dims = input_dims(layer, 0);
  if (!reads_hwc4(layer) || dims.size() < 2) return {};
  return {double(dims[1])};
}
Values read_output_padding(const Layer& layer) {
  const auto* deconv = attributes_of<DeconvAttributes>(layer);
  return deconv ? to_values(deconv->output_padding) : Values{};
}
Values channels_of(const Dims& dims) {
  if (dims.size() < 2) return {};
  return {double(dims[1])};
}
Values read_input_maps(const Layer& layer) { return channels_of(input_dims(layer, 0)); }
Values read_output_maps(const Layer& layer) { return channels_of(output_dims(layer)); }
Values read_spatial_dims(const Layer& layer) {
  const Value* input = input_value(layer, 0);
  if (!input) return {};
  return {double(input->shape.size()) - 2};
}

bool is_deconv_form(const Dims& sides) {
  if (std::all_of(sides.begin(), sides.end(), [](int64_t side) { return 1 <= side && side <= 32; }))
    return true;
  if (sides.size() != 2) return false;
  const auto [low, high] = std::minmax(sides[0], sides[1]);
  return low == 1 && (high == 64 || high == 96 || high == 128);
}

Breach odd_deconv_form(const Ints& sides) {
  if (is_deconv_form(sides)) return std::nullopt;
  return join(sides, "x");
}

}  // namespace

const Fact kKernel = {"kernel", read_kernel};
const Fact kPadding = {"padding", read_padding};
const Fact kStride = {"stride", read_stride};
const Fact kDilation = {"dilation", read_dilation};
const Fact kGroups = {"groups", read_groups};
const Fact kHwc4Groups = {"groups with an HWC4 input", read_hwc4_groups};
const Fact kHwc4Channels = {"channels of an HWC4 input", read_hwc4_channels};
const Fact kInputMaps = {"input channels", read_input_maps};
const Fact kOutputMaps = {"output maps", read_output_maps};
const Fact kSpatialDims = {"spatial dimensions", read_spatial_dims};
const Fact kOutputPadding = {"output padding", read_output_padding};

Breach variable_weights(const Layer& layer) { return variable_input(layer, 1, 2); }

Breach padding_past_kernel(const Layer& layer) {
  const Dims kernel = kernel_dims(layer);
  const Ints& pads = layer.node.get<ConvAttributes>().pads;
  for (size_t i = 0; i < pads.size() && !kernel.empty(); ++i)
    if (pads[i] >= kernel[i % kernel.size()])
      return format("padding {} of a kernel {}", join(pads, "x"), join(kernel, "x"));
  return std::nullopt;
}

Breach hwc4_of_other_type(const Layer& layer) {
  if (!reads_hwc4(layer)) return std::nullopt;
  const DataType type = input_value(layer, 0)->type;
  if (type == layer.precision) return std::nullopt;
  return format("{} into {}", precision_text(type), precision_text(layer.precision));
}

std::optional<CbufLayer> cbuf_layer(const Layer& layer) {
  const Dims input = input_dims(layer, 0), weights = input_dims(layer, 1);
  const Dims output = output_dims(layer), kernel = kernel_dims(layer);
  if (input.size() < 2 || output.size() < 2 || weights.empty() || kernel.size() != 2)
    return std::nullopt;
  CbufLayer measures;
  measures.channels = input[1];
  measures.kernels = output[1];
  measures.kernel_h = kernel[0];
  measures.kernel_w = kernel[1];
  if (const auto* conv = attributes_of<ConvAttributes>(layer); conv && !conv->dilation.empty())
    measures.dilation_h = conv->dilation[0];
  measures.width = input.size() == 4 ? input[3] : 1;
  measures.element_bytes = layer.precision == DataType::Int8 ? 1 : 2;
  return measures;
}

Breach cbuf_overflow(const Layer& layer) {
  const auto measures = cbuf_layer(layer);
  if (!measures || cbuf_need(*measures).fits()) return std::nullopt;
  return format("{} banks ({})", cbuf_need(*measures).banks(), arithmetic(*measures));
}

Breach cbuf_group_overflow(const Layer& layer) {
  const auto measures = cbuf_layer(layer);
  if (!measures) return std::nullopt;
  const CbufNeed need = cbuf_need(*measures);
  if (!need.fits() || need.group_fits()) return std::nullopt;
  return format("{} banks of weights and {} of data", need.group_banks, need.data_banks);
}

Breach variable_factor(const Layer& layer) {
  const Value* right = input_value(layer, 1);
  if (right && right->constant && right->shape.size() == 2) return std::nullopt;
  return right && right->constant ? format("a constant of {} dimensions", right->shape.size())
                                  : std::string("two tensors computed at run time");
}

Breach transposed_left(const Layer& layer) {
  const auto* gemm = attributes_of<GemmAttributes>(layer);
  if (!gemm || !gemm->transpose_a) return std::nullopt;
  return "a transposed left side";
}

Breach bias_not_per_output(const Layer& layer) {
  const Value* bias = input_value(layer, 2);
  const Dims output = output_dims(layer);
  if (!bias || output.size() != 2) return std::nullopt;
  if (!bias->constant) return format("{} computed at run time", bias->name);
  const Dims& dims = bias->constant->dims();
  const bool along_outputs = dims.empty() || volume(dims) == dims.back();
  if (volume(dims) == 1 || (along_outputs && dims.back() == output[1])) return std::nullopt;
  return to_text(dims);
}

Breach product_not_rank_two(const Layer& layer) {
  const Value* left = input_value(layer, 0);
  if (!left || left->shape.size() == 2) return std::nullopt;
  return format("{} dimensions", left->shape.size());
}

Breach deconv_kernel_form(const Layer& layer) { return odd_deconv_form(kernel_dims(layer)); }

Breach deconv_stride_form(const Layer& layer) {
  return odd_deconv_form(layer.node.get<DeconvAttributes>().stride);
}

Breach deconv_large_square(const Layer& layer) {
  const Dims kernel = kernel_dims(layer);
  const Ints& stride = layer.node.get<DeconvAttributes>().stride;
  const auto large_square = [](const Ints& sides) {
    return sides.size() == 2 && sides[0] == sides[1] && 23 <= sides[0] && sides[0] <= 32;
  };
  if (!large_square(kernel) || !large_square(stride)) return std::nullopt;
  return format("kernel {} with stride {}", join(kernel, "x"), join(stride, "x"));
}

}  // namespace dlaexec::dla
