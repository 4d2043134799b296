// Pooling, activation, elementwise, unary, scale, LRN and concatenation layers.
#include "dla/layer_reading.h"

namespace dlaexec::dla {
namespace {

using namespace ir;

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

ElementwiseKind elementwise_kind(const Layer& layer) {
  return layer.node.get<ElementwiseAttributes>().kind;
}

Breach kind_if(const Layer& layer, std::initializer_list<ElementwiseKind> kinds) {
  const ElementwiseKind kind = elementwise_kind(layer);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) return std::nullopt;
  return upper(text(kind));
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

}  // namespace

const Fact kWindow = {"window", read_window};
const Fact kPoolPadding = {"padding", read_pool_padding};
const Fact kPoolStride = {"stride", read_pool_stride};
const Fact kPoolDilation = {"dilation", read_pool_dilation};
const Fact kPoolOutputs = {"outputs", read_pool_outputs};
const Fact kClipLow = {"lower bound", read_clip_low};
const Fact kClipHigh = {"upper bound", read_clip_high};
const Fact kLrnWindow = {"window", read_lrn_window};
const Fact kConcatAxis = {"axis", read_concat_axis};
const Fact kConcatInputs = {"inputs", read_concat_inputs};

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
  return variable_input(layer, 1, layer.node.inputs.size());
}

Breach concat_scales(const Layer& layer) {
  std::vector<ValueId> all = layer.node.inputs;
  all.push_back(layer.node.outputs[0]);
  return unequal_scales(layer, all);
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

Breach cast_of_no_comparison(const Layer& layer) {
  const DataType to = layer.node.get<CastAttributes>().to;
  const Node* before = producer(layer.graph, layer.node.inputs[0]);
  const bool follows_comparison = before && is_comparison(*before);
  const bool to_dla_type = is_float(to) || to == DataType::Int8;
  if (follows_comparison && to_dla_type) return std::nullopt;
  return format("a cast to {} after {}", text(to), before ? before->name : "a network input");
}

}  // namespace dlaexec::dla
