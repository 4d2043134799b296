#include "dla/layer_facts.h"

#include <algorithm>
#include <cmath>

#include "dla/cbuf.h"

namespace dlaexec::dla {
namespace {

using namespace ir;
using Values = std::vector<double>;
using Breach = std::optional<std::string>;

template <class T>
const T* attributes_of(const Layer& layer) {
  return std::get_if<T>(&layer.node.attributes);
}

const Value* input_value(const Layer& layer, size_t index) {
  const ValueId id = Graph::input(layer.node, index);
  return id == kNoValue ? nullptr : &layer.graph.value(id);
}

/// The dimensions of an input; empty when it is absent or not static.
Dims input_dims(const Layer& layer, size_t index) {
  const Value* value = input_value(layer, index);
  if (!value || !is_static(value->shape)) return {};
  return dims_of(value->shape);
}

Dims output_dims(const Layer& layer) {
  if (layer.node.outputs.empty() || layer.node.outputs[0] == kNoValue) return {};
  const Value& value = layer.graph.value(layer.node.outputs[0]);
  return is_static(value.shape) ? dims_of(value.shape) : Dims{};
}

/// The tensors that flow through the layer: data inputs, then outputs.
std::vector<ValueId> tensors(const Layer& layer) {
  std::vector<ValueId> all = data_inputs(layer.graph, layer.node);
  for (const ValueId id : layer.node.outputs)
    if (id != kNoValue) all.push_back(id);
  return all;
}

template <class Read>
Values of_tensors(const Layer& layer, Read&& read) {
  Values values;
  for (const ValueId id : tensors(layer)) {
    const Shape& shape = layer.graph.value(id).shape;
    if (!is_static(shape)) continue;
    for (const double value : read(dims_of(shape))) values.push_back(value);
  }
  return values;
}

Values to_values(const Ints& ints) { return Values(ints.begin(), ints.end()); }

bool is_fully_connected(Op op) { return op == Op::Gemm || op == Op::MatMul; }

std::string precision_text(DataType type) {
  switch (type) {
    case DataType::Float32:
      return "FP32";
    case DataType::Float16:
      return "FP16";
    case DataType::BFloat16:
      return "BF16";
    case DataType::Int8:
      return "INT8";
    default:
      return std::string(text(type));
  }
}

bool is_hwc4(const Value& value) { return value.format == Format::DlaHwc4; }

// ---- general ----

Values read_rank(const Layer& layer) {
  if (is_fully_connected(layer.node.op)) return {};  // fc.rank speaks of those
  Values values;
  for (const ValueId id : tensors(layer))
    values.push_back(static_cast<double>(layer.graph.value(id).shape.size()));
  return values;
}
Values read_batch(const Layer& layer) {
  return of_tensors(layer, [](const Dims& dims) { return Values{double(batch_of(dims))}; });
}
Values read_chw(const Layer& layer) {
  return of_tensors(layer, [](const Dims& dims) { return to_values(chw_of(dims)); });
}

// ---- convolution and deconvolution ----

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
  return input && is_hwc4(*input);
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

// ---- pooling, activation, LRN, concatenation ----

template <class Read>
Values of_pool(const Layer& layer, Read&& read) {
  const auto* pool = attributes_of<PoolAttributes>(layer);
  return pool ? to_values(read(*pool)) : Values{};
}
Values read_window(const Layer& layer) {
  return of_pool(layer, [](const PoolAttributes& pool) { return pool.kernel; });
}
Values read_pool_padding(const Layer& layer) {
  return of_pool(layer, [](const PoolAttributes& pool) { return pool.pads; });
}
Values read_pool_stride(const Layer& layer) {
  return of_pool(layer, [](const PoolAttributes& pool) { return pool.stride; });
}
Values read_pool_dilation(const Layer& layer) {
  return of_pool(layer, [](const PoolAttributes& pool) { return pool.dilation; });
}
Values read_pool_outputs(const Layer& layer) {
  const auto used = std::count_if(layer.node.outputs.begin(), layer.node.outputs.end(),
                                  [](ValueId id) { return id != kNoValue; });
  return {double(used)};
}
const ActivationAttributes* clip_of(const Layer& layer) {
  const auto* activation = attributes_of<ActivationAttributes>(layer);
  return activation && activation->kind == ActivationKind::Clip ? activation : nullptr;
}
Values read_clip_low(const Layer& layer) {
  const auto* clip = clip_of(layer);
  return clip ? Values{clip->alpha} : Values{};
}
Values read_clip_high(const Layer& layer) {
  const auto* clip = clip_of(layer);
  return clip ? Values{clip->beta} : Values{};
}
Values read_lrn_window(const Layer& layer) {
  return {double(layer.node.get<LrnAttributes>().size)};
}
Values read_concat_axis(const Layer& layer) {
  return {double(layer.node.get<AxisAttributes>().axis)};
}
Values read_concat_inputs(const Layer& layer) { return {double(layer.node.inputs.size())}; }

// ---- resize, softmax, slice, shuffle ----

/// The scales of a resize, if they are constants and not replaced by sizes.
std::vector<float> resize_scales(const Layer& layer) {
  const Tensor* scales = layer.graph.constant(layer.node, 2);
  return scales && scales->count() > 0 ? scales->to_floats() : std::vector<float>{};
}
Values read_resize_outer(const Layer& layer) {
  const std::vector<float> scales = resize_scales(layer);
  if (scales.size() < 2) return {};
  return {scales[0], scales[1]};
}
Values factors_if(const Layer& layer, ResizeMode mode) {
  const std::vector<float> scales = resize_scales(layer);
  if (layer.node.get<ResizeAttributes>().mode != mode || scales.size() < 3) return {};
  return Values(scales.begin() + 2, scales.end());
}
Values read_nearest_factor(const Layer& layer) { return factors_if(layer, ResizeMode::Nearest); }
Values read_linear_factor(const Layer& layer) { return factors_if(layer, ResizeMode::Linear); }

struct SoftmaxDims {
  int64_t batch = 1, along = 1, other = 1;
};
std::optional<SoftmaxDims> softmax_dims(const Layer& layer) {
  const Dims dims = input_dims(layer, 0);
  const auto& softmax = layer.node.get<SoftmaxAttributes>();
  if (dims.size() < 2 || softmax.axis < 1) return std::nullopt;
  SoftmaxDims found{dims[0], 1, 1};
  for (size_t i = 1; i < dims.size(); ++i) {
    const auto axis = static_cast<size_t>(softmax.axis);
    (i == axis || (softmax.flatten && i > axis) ? found.along : found.other) *= dims[i];
  }
  return found;
}
Values read_softmax_batch(const Layer& layer) {
  const auto dims = softmax_dims(layer);
  return dims ? Values{double(dims->batch)} : Values{};
}
Values read_softmax_other(const Layer& layer) {
  const auto dims = softmax_dims(layer);
  return dims ? Values{double(dims->other)} : Values{};
}
Values read_softmax_alone(const Layer& layer) {
  const auto dims = softmax_dims(layer);
  return dims && dims->other == 1 ? Values{double(dims->along)} : Values{};
}
Values read_softmax_beside(const Layer& layer) {
  const auto dims = softmax_dims(layer);
  return dims && dims->other > 1 ? Values{double(dims->along)} : Values{};
}

/// An input of integers, if it is constant.
std::optional<Ints> constant_ints(const Layer& layer, size_t index) {
  const Tensor* tensor = layer.graph.constant(layer.node, index);
  if (!tensor) return std::nullopt;
  return tensor->to_ints();
}
Values read_slice_steps(const Layer& layer) {
  if (layer.node.op != Op::Slice) return {};
  const auto steps = constant_ints(layer, 4);
  return steps ? to_values(*steps) : Values{};
}
Values read_shuffle_rank(const Layer& layer) {
  Values values;
  for (const ValueId id : tensors(layer))
    values.push_back(static_cast<double>(layer.graph.value(id).shape.size()));
  return values;
}

ElementwiseKind elementwise_kind(const Layer& layer) {
  return layer.node.get<ElementwiseAttributes>().kind;
}

std::string upper(std::string_view name) {
  std::string result(name);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

Breach kind_if(const Layer& layer, std::initializer_list<ElementwiseKind> kinds) {
  const ElementwiseKind kind = elementwise_kind(layer);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) return std::nullopt;
  return upper(text(kind));
}

bool is_comparison(const Node& node) {
  if (node.op != Op::Elementwise) return false;
  const ElementwiseKind kind = node.get<ElementwiseAttributes>().kind;
  return kind == ElementwiseKind::Equal || kind == ElementwiseKind::Greater ||
         kind == ElementwiseKind::Less;
}

/// The node that makes a value, or null for inputs and constants.
const Node* producer(const Graph& graph, ValueId id) {
  for (const Node& node : graph.nodes)
    if (std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end()) return &node;
  return nullptr;
}

bool uses_value(const Node& node, ValueId id) {
  return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
}

std::optional<float> scale_of(const Value& value) {
  if (value.quantization.scales.size() != 1) return std::nullopt;
  return value.quantization.scales[0];
}

/// The dynamic ranges of @p ids when they are known and differ.
Breach unequal_scales(const Layer& layer, const std::vector<ValueId>& ids) {
  std::vector<float> scales;
  for (const ValueId id : ids)
    if (const auto scale = scale_of(layer.graph.value(id))) scales.push_back(*scale);
  const bool equal = std::all_of(scales.begin(), scales.end(),
                                 [&](float scale) { return scale == scales.front(); });
  if (equal) return std::nullopt;
  return "ranges " + join(scales, ", ", [](float s) { return format("{:.6g}", 127.0f * s); });
}

/// True if a constant has one element, one per channel of @p dims, or the shape of @p dims without
/// its batch.
bool is_scale_shaped(const Dims& constant, const Dims& dims) {
  if (volume(constant) == 1) return true;
  Dims aligned = constant;
  if (aligned.size() > dims.size()) return false;
  aligned.insert(aligned.begin(), dims.size() - aligned.size(), 1);
  const bool per_channel = dims.size() > 1 && volume(aligned) == dims[1] && aligned[1] == dims[1];
  Dims image = dims;
  image[0] = 1;
  return per_channel || aligned == image || aligned == dims;
}

bool broadcasts_as_dla_does(const Dims& small, const Dims& large) {
  if (small == large) return true;
  if (small.size() != 4 || large.size() != 4) return false;
  const bool per_channel =
      small[0] == large[0] && small[1] == large[1] && small[2] == 1 && small[3] == 1;
  const bool per_image = small[0] == large[0] && volume({small[1], small[2], small[3]}) == 1;
  return per_channel || per_image;
}

bool is_whole(float value) { return std::floor(value) == value; }

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

Breach axis_of_batch(int64_t axis) {
  if (axis != 0) return std::nullopt;
  return "axis 0";
}

}  // namespace

#define DLAEXEC_FACT(constant, ...) const ir::Fact constant = {__VA_ARGS__}
DLAEXEC_FACT(kRank, "number of dimensions", read_rank, ", ");
DLAEXEC_FACT(kBatch, "batch", read_batch, ", ");
DLAEXEC_FACT(kChw, "C, H and W", read_chw, ", ");
DLAEXEC_FACT(kKernel, "kernel", read_kernel);
DLAEXEC_FACT(kPadding, "padding", read_padding);
DLAEXEC_FACT(kStride, "stride", read_stride);
DLAEXEC_FACT(kDilation, "dilation", read_dilation);
DLAEXEC_FACT(kGroups, "groups", read_groups);
DLAEXEC_FACT(kHwc4Groups, "groups with an HWC4 input", read_hwc4_groups);
DLAEXEC_FACT(kHwc4Channels, "channels of an HWC4 input", read_hwc4_channels);
DLAEXEC_FACT(kInputMaps, "input channels", read_input_maps);
DLAEXEC_FACT(kOutputMaps, "output maps", read_output_maps);
DLAEXEC_FACT(kSpatialDims, "spatial dimensions", read_spatial_dims);
DLAEXEC_FACT(kOutputPadding, "output padding", read_output_padding);
DLAEXEC_FACT(kWindow, "window", read_window);
DLAEXEC_FACT(kPoolPadding, "padding", read_pool_padding);
DLAEXEC_FACT(kPoolStride, "stride", read_pool_stride);
DLAEXEC_FACT(kPoolDilation, "dilation", read_pool_dilation);
DLAEXEC_FACT(kPoolOutputs, "outputs", read_pool_outputs);
DLAEXEC_FACT(kClipLow, "lower bound", read_clip_low);
DLAEXEC_FACT(kClipHigh, "upper bound", read_clip_high);
DLAEXEC_FACT(kLrnWindow, "window", read_lrn_window);
DLAEXEC_FACT(kConcatAxis, "axis", read_concat_axis);
DLAEXEC_FACT(kConcatInputs, "inputs", read_concat_inputs);
DLAEXEC_FACT(kResizeOuter, "scales of batch and channels", read_resize_outer);
DLAEXEC_FACT(kNearestFactor, "nearest scales", read_nearest_factor);
DLAEXEC_FACT(kLinearFactor, "linear scales", read_linear_factor);
DLAEXEC_FACT(kSoftmaxBatch, "batch", read_softmax_batch);
DLAEXEC_FACT(kSoftmaxOther, "product of the dimensions beside the axis", read_softmax_other);
DLAEXEC_FACT(kSoftmaxAlone, "axis length, other dimensions being 1,", read_softmax_alone);
DLAEXEC_FACT(kSoftmaxBeside, "axis length, other dimensions being more than 1,",
             read_softmax_beside);
DLAEXEC_FACT(kSliceSteps, "steps", read_slice_steps);
DLAEXEC_FACT(kShuffleRank, "number of dimensions", read_shuffle_rank, ", ");
#undef DLAEXEC_FACT

std::vector<ValueId> data_inputs(const Graph& graph, const Node& node) {
  std::vector<ValueId> found;
  for (const ValueId id : node.inputs)
    if (id != kNoValue && !graph.value(id).constant) found.push_back(id);
  return found;
}

Dims chw_of(const Dims& dims) {
  if (dims.size() == 2) return {dims[1], 1, 1};
  Dims chw(dims.end() - static_cast<ptrdiff_t>(std::min<size_t>(dims.size(), 3)), dims.end());
  chw.insert(chw.begin(), 3 - chw.size(), 1);
  return chw;
}

int64_t batch_of(const Dims& dims) {
  if (dims.size() == 2) return dims[0];
  if (dims.size() <= 3) return 1;
  return volume(Dims(dims.begin(), dims.end() - 3));
}

Breach foreign_type(const Layer& layer) { return std::string(info(layer.node.op).layer_type); }

Breach wide_precision(const Layer& layer) {
  if (layer.precision == DataType::Float16 || layer.precision == DataType::Int8)
    return std::nullopt;
  return precision_text(layer.precision);
}

Breach int8_precision(const Layer& layer) {
  if (layer.precision != DataType::Int8) return std::nullopt;
  return "INT8";
}

Breach integer_tensors(const Layer& layer) {
  const bool compares = is_comparison(layer.node);
  for (const ValueId id : tensors(layer)) {
    const DataType type = layer.graph.value(id).type;
    if (is_float(type) || type == DataType::Int8) continue;
    const bool is_comparison_result = type == DataType::Bool;
    if (is_comparison_result && (compares || layer.node.op == Op::Cast)) continue;
    return format("{} of type {}", layer.graph.value(id).name, text(type));
  }
  return std::nullopt;
}

Breach symbolic_shape(const Layer& layer) {
  for (const ValueId id : tensors(layer)) {
    const Value& value = layer.graph.value(id);
    if (!is_static(value.shape)) return format("{} of {}", value.name, to_text(value.shape));
  }
  return std::nullopt;
}

Breach hwc4_input(const Layer& layer) {
  for (const ValueId id : data_inputs(layer.graph, layer.node))
    if (is_hwc4(layer.graph.value(id)))
      return format("{} by way of {}", layer.graph.value(id).name, info(layer.node.op).layer_type);
  return std::nullopt;
}

Breach variable_weights(const Layer& layer) {
  for (size_t i = 1; i < std::min<size_t>(layer.node.inputs.size(), 3); ++i) {
    const Value* value = input_value(layer, i);
    if (value && !value->constant) return format("{} computed at run time", value->name);
  }
  return std::nullopt;
}

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

Breach other_pool_kind(const Layer& layer) {
  const PoolKind kind = layer.node.get<PoolAttributes>().kind;
  if (kind == PoolKind::Max || kind == PoolKind::Average) return std::nullopt;
  return upper(text(kind));
}

Breach uncounted_padding(const Layer& layer) {
  const auto& pool = layer.node.get<PoolAttributes>();
  const bool pads =
      std::any_of(pool.pads.begin(), pool.pads.end(), [](int64_t p) { return p > 0; });
  if (pool.kind != PoolKind::Average || pool.count_include_pad || !pads) return std::nullopt;
  return format("padding {} left out of the average", join(pool.pads, "x"));
}

Breach pool_scales(const Layer& layer) {
  return unequal_scales(layer, {layer.node.inputs[0], layer.node.outputs[0]});
}

Breach other_activation(const Layer& layer) {
  const ActivationKind kind = layer.node.get<ActivationAttributes>().kind;
  switch (kind) {
    case ActivationKind::Relu:
    case ActivationKind::Clip:
    case ActivationKind::LeakyRelu:
    case ActivationKind::Sigmoid:
    case ActivationKind::Tanh:
      return std::nullopt;
    default:
      return upper(text(kind));
  }
}

Breach odd_slope(const Layer& layer) {
  const Value* slope = input_value(layer, 1);
  if (!slope->constant) return format("{} computed at run time", slope->name);
  const Dims dims = input_dims(layer, 0);
  if (dims.empty() || is_scale_shaped(slope->constant->dims(), dims)) return std::nullopt;
  return "slopes of " + to_text(slope->constant->dims());
}

Breach other_elementwise(const Layer& layer) {
  const ElementwiseKind kind = elementwise_kind(layer);
  switch (kind) {
    case ElementwiseKind::Sum:
    case ElementwiseKind::Sub:
    case ElementwiseKind::Prod:
    case ElementwiseKind::Max:
    case ElementwiseKind::Min:
    case ElementwiseKind::Equal:
    case ElementwiseKind::Greater:
    case ElementwiseKind::Less:
    case ElementwiseKind::Div:
    case ElementwiseKind::Pow:
      return std::nullopt;
    default:
      return upper(text(kind));
  }
}

Breach is_equal(const Layer& layer) { return kind_if(layer, {ElementwiseKind::Equal}); }
Breach is_ordering(const Layer& layer) {
  return kind_if(layer, {ElementwiseKind::Greater, ElementwiseKind::Less});
}
Breach is_quotient(const Layer& layer) {
  return kind_if(layer, {ElementwiseKind::Div, ElementwiseKind::Pow});
}

Breach comparison_not_int8(const Layer& layer) {
  if (!is_comparison(layer.node) || layer.precision == DataType::Int8) return std::nullopt;
  return precision_text(layer.precision);
}

Breach comparison_used_otherwise(const Layer& layer) {
  if (!is_comparison(layer.node)) return std::nullopt;
  const ValueId result = layer.node.outputs[0];
  if (layer.graph.is_output(result)) return "an output of the network";
  for (const Node& node : layer.graph.nodes)
    if (uses_value(node, result) && node.op != Op::Cast && node.op != Op::Identity)
      return format("{} ({})", node.name, info(node.op).layer_type);
  return std::nullopt;
}

Breach quotient_of_tensors(const Layer& layer) {
  if (!is_quotient(layer)) return std::nullopt;
  if (layer.precision != DataType::Int8) return precision_text(layer.precision);
  for (size_t i = 0; i < 2; ++i) {
    const Tensor* constant = layer.graph.constant(layer.node, i);
    if (!constant) continue;
    const std::vector<float> elements = constant->to_floats();
    const bool uniform = std::all_of(elements.begin(), elements.end(),
                                     [&](float element) { return element == elements.front(); });
    if (uniform) return std::nullopt;
    return "a constant of several values";
  }
  return "two tensors";
}

Breach odd_broadcast(const Layer& layer) {
  const Dims output = output_dims(layer);
  if (output.empty()) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const Dims dims = input_dims(layer, i);
    const bool fine = layer.graph.constant(layer.node, i) ? is_scale_shaped(dims, output)
                                                          : broadcasts_as_dla_does(dims, output);
    if (!fine)
      return format("{} with {}", to_text(input_dims(layer, 0)), to_text(input_dims(layer, 1)));
  }
  return std::nullopt;
}

Breach variable_scale(const Layer& layer) {
  for (size_t i = 1; i < layer.node.inputs.size(); ++i)
    if (!layer.graph.constant(layer.node, i))
      return format("{} computed at run time", input_value(layer, i)->name);
  return std::nullopt;
}

Breach concat_scales(const Layer& layer) {
  std::vector<ValueId> all = layer.node.inputs;
  all.push_back(layer.node.outputs[0]);
  return unequal_scales(layer, all);
}

Breach resize_without_scales(const Layer& layer) {
  const Value* sizes = input_value(layer, 3);
  if (sizes) return "output sizes";
  const std::vector<float> scales = resize_scales(layer);
  if (scales.size() == 4) return std::nullopt;
  return scales.empty() ? std::string("scales computed at run time")
                        : format("{} scales", scales.size());
}

Breach fractional_factor(const Layer& layer) {
  const std::vector<float> scales = resize_scales(layer);
  if (std::all_of(scales.begin(), scales.end(), is_whole)) return std::nullopt;
  return join(scales, "x", [](float scale) { return format("{:.6g}", scale); });
}

Breach other_resize_mode(const Layer& layer) {
  const ResizeMode mode = layer.node.get<ResizeAttributes>().mode;
  if (mode != ResizeMode::Cubic) return std::nullopt;
  return upper(text(mode));
}

Breach other_resize_rounding(const Layer& layer) {
  const auto& resize = layer.node.get<ResizeAttributes>();
  const bool half_pixel = resize.coordinates == CoordinateMode::HalfPixel;
  if (resize.mode == ResizeMode::Linear) {
    // PyTorch's half pixel differs for outputs of one pixel alone: TensorRT's "upper" selector.
    if (half_pixel || resize.coordinates == CoordinateMode::PytorchHalfPixel) return std::nullopt;
    return std::string(text(resize.coordinates));
  }
  if (resize.mode != ResizeMode::Nearest) return std::nullopt;
  const bool floors =
      resize.coordinates == CoordinateMode::Asymmetric && resize.nearest == NearestMode::Floor;
  const bool rounds = half_pixel && (resize.nearest == NearestMode::RoundPreferFloor ||
                                     resize.nearest == NearestMode::RoundPreferCeil);
  if (floors || rounds) return std::nullopt;
  return format("{} with {}", text(resize.coordinates), text(resize.nearest));
}

Breach resize_extras(const Layer& layer) {
  const auto& resize = layer.node.get<ResizeAttributes>();
  if (resize.antialias) return "antialias";
  if (resize.exclude_outside) return "exclude_outside";
  return std::nullopt;
}

Breach other_unary(const Layer& layer) {
  const UnaryKind kind = layer.node.get<UnaryAttributes>().kind;
  switch (kind) {
    case UnaryKind::Abs:
    case UnaryKind::Sin:
    case UnaryKind::Cos:
    case UnaryKind::Atan:
      return std::nullopt;
    default:
      return upper(text(kind));
  }
}

Breach is_trigonometric(const Layer& layer) {
  const UnaryKind kind = layer.node.get<UnaryAttributes>().kind;
  if (kind == UnaryKind::Abs || other_unary(layer)) return std::nullopt;
  return upper(text(kind));
}

Breach trigonometric_not_int8(const Layer& layer) {
  if (!is_trigonometric(layer) || layer.precision == DataType::Int8) return std::nullopt;
  return precision_text(layer.precision);
}

Breach variable_slice(const Layer& layer) {
  for (size_t i = 1; i < layer.node.inputs.size(); ++i) {
    const Value* value = input_value(layer, i);
    if (value && !value->constant) return format("{} computed at run time", value->name);
  }
  return std::nullopt;
}

Breach slice_of_batch(const Layer& layer) {
  if (layer.node.op == Op::Split) return axis_of_batch(layer.node.get<AxisAttributes>().axis);
  const Dims input = input_dims(layer, 0), output = output_dims(layer);
  if (input.empty() || output.empty() || input[0] == output[0]) return std::nullopt;
  return format("batch {} of {}", output[0], input[0]);
}

Breach other_softmax(const Layer& layer) {
  const SoftmaxKind kind = layer.node.get<SoftmaxAttributes>().kind;
  if (kind == SoftmaxKind::Softmax) return std::nullopt;
  return upper(text(kind));
}

Breach softmax_of_batch(const Layer& layer) {
  return axis_of_batch(layer.node.get<SoftmaxAttributes>().axis);
}

Breach shuffle_of_batch(const Layer& layer) {
  const Dims input = input_dims(layer, 0), output = output_dims(layer);
  if (const auto* transpose = attributes_of<TransposeAttributes>(layer))
    if (!transpose->perm.empty() && transpose->perm[0] != 0)
      return format("permutation {}", join(transpose->perm, ","));
  if (input.size() != 4 || output.size() != 4 || input[0] == output[0]) return std::nullopt;
  return format("batch {} to {}", input[0], output[0]);
}

Breach reshape_beside_slice(const Layer& layer) {
  const auto is_beside = [](const Node& node) {
    return node.op == Op::Slice || node.op == Op::Split || node.op == Op::Concat;
  };
  if (const Node* before = producer(layer.graph, layer.node.inputs[0]))
    if (is_beside(*before)) return format("{} before it", before->name);
  for (const Node& node : layer.graph.nodes)
    if (is_beside(node) && uses_value(node, layer.node.outputs[0]))
      return format("{} after it", node.name);
  return std::nullopt;
}

Breach other_reduce(const Layer& layer) {
  const ReduceKind kind = layer.node.get<ReduceAttributes>().kind;
  if (kind == ReduceKind::Max) return std::nullopt;
  return upper(text(kind));
}

Breach is_max_reduce(const Layer& layer) {
  if (other_reduce(layer)) return std::nullopt;
  return "MAX";
}

Breach reduce_of_batch(const Layer& layer) {
  const Ints& axes = layer.node.get<ReduceAttributes>().axes;
  if (std::find(axes.begin(), axes.end(), 0) == axes.end()) return std::nullopt;
  return "axes " + join(axes, ",");
}

Breach dropped_dims(const Layer& layer) {
  if (layer.node.get<ReduceAttributes>().keep_dims) return std::nullopt;
  return "dimensions dropped";
}

Breach cast_of_no_comparison(const Layer& layer) {
  const DataType to = layer.node.get<CastAttributes>().to;
  const Node* before = producer(layer.graph, layer.node.inputs[0]);
  const bool follows_comparison = before && is_comparison(*before);
  const bool to_dla_type = is_float(to) || to == DataType::Int8;
  if (follows_comparison && to_dla_type) return std::nullopt;
  return format("a cast to {} after {}", text(to), before ? before->name : "a network input");
}

}  // namespace dlaexec::dla
