// Resize, slice, softmax, shuffle and reduce layers.
#include <cmath>

#include "dla/layer_reading.h"

namespace dlaexec::dla {
namespace {

using namespace ir;

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

bool is_whole(float value) { return std::floor(value) == value; }

}  // namespace

const Fact kResizeOuter = {"scales of batch and channels", read_resize_outer};
const Fact kNearestFactor = {"nearest scales", read_nearest_factor};
const Fact kLinearFactor = {"linear scales", read_linear_factor};
const Fact kSoftmaxBatch = {"batch", read_softmax_batch};
const Fact kSoftmaxOther = {"product of the dimensions beside the axis", read_softmax_other};
const Fact kSoftmaxAlone = {"axis length, other dimensions being 1,", read_softmax_alone};
const Fact kSoftmaxBeside = {"axis length, other dimensions being more than 1,",
                             read_softmax_beside};
const Fact kSliceSteps = {"steps", read_slice_steps};
const Fact kShuffleRank = {"number of dimensions", read_shuffle_rank, Fact::Shown::Offenders};

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

Breach variable_slice(const Layer& layer) {
  return variable_input(layer, 1, layer.node.inputs.size());
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

}  // namespace dlaexec::dla
