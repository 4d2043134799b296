// Reductions, searches, softmax and resizing.
#include <algorithm>
#include <numeric>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

ir::Ints all_axes(int64_t rank) {
  ir::Ints axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// @p first_input_opset: from when on the axes are an input.
ValueIds reduce(Node& node, ir::ReduceKind kind, int64_t first_input_opset = 18) {
  const ValueId x = node.in(0);
  const bool keep = node.flag("keepdims", true);
  const bool keep_all = node.flag("noop_with_empty_axes", false);
  ir::Ints axes;
  if (node.opset() >= first_input_opset && node.has(1)) {
    const auto known = node.known(node.in(1));
    if (!known)
      return {node.add(Op::Reduce, {x, node.in(1)}, ir::ReduceAttributes{kind, {}, keep})};
    axes = *known;
  } else if (node.opset() < first_input_opset) {
    axes = node.ints("axes");
  }
  if (axes.empty() && keep_all) return {node.add(Op::Identity, {x})};
  if (axes.empty()) axes = all_axes(node.rank(x));
  for (int64_t& axis : axes) axis = node.axis_in(axis, node.rank(x));
  std::sort(axes.begin(), axes.end());
  return {node.reduce(kind, x, axes, keep)};
}

ValueIds arg_reduce(Node& node, bool largest) {
  ir::ArgReduceAttributes attributes;
  attributes.max = largest;
  attributes.axis = node.axis_in(node.integer("axis", 0), node.rank(node.in(0)));
  attributes.keep_dims = node.flag("keepdims", true);
  attributes.last = node.flag("select_last_index", false);
  return {node.add(Op::ArgReduce, {node.in(0)}, attributes)};
}

ValueIds softmax(Node& node, ir::SoftmaxKind kind) {
  const ValueId x = node.in(0);
  const int64_t rank = node.rank(x);
  const bool old = node.opset() < 13;
  int64_t axis = node.integer("axis", old ? 1 : -1);
  if (!old || axis != rank) axis = node.axis_in(axis, rank);  // flattening may begin at the end
  const ir::Shape& shape = node.shape(x);
  // Flattening from the axis on means nothing when what follows has one element.
  const bool one_follows =
      axis < rank && std::all_of(shape.begin() + axis + 1, shape.end(),
                                 [](const ir::Dim& dim) { return dim == ir::Dim(1); });
  return {node.add(Op::Softmax, {x}, ir::SoftmaxAttributes{kind, axis, old && !one_follows})};
}

}  // namespace

ValueIds reduce_sum(Node& node) { return reduce(node, ir::ReduceKind::Sum, 13); }
ValueIds reduce_mean(Node& node) { return reduce(node, ir::ReduceKind::Mean); }
ValueIds reduce_max(Node& node) { return reduce(node, ir::ReduceKind::Max); }
ValueIds reduce_min(Node& node) { return reduce(node, ir::ReduceKind::Min); }
ValueIds reduce_prod(Node& node) { return reduce(node, ir::ReduceKind::Prod); }
ValueIds reduce_l1(Node& node) { return reduce(node, ir::ReduceKind::L1); }
ValueIds reduce_l2(Node& node) { return reduce(node, ir::ReduceKind::L2); }
ValueIds reduce_log_sum(Node& node) { return reduce(node, ir::ReduceKind::LogSum); }
ValueIds reduce_log_sum_exp(Node& node) { return reduce(node, ir::ReduceKind::LogSumExp); }
ValueIds reduce_sum_square(Node& node) { return reduce(node, ir::ReduceKind::SumSquare); }

ValueIds arg_max(Node& node) { return arg_reduce(node, true); }
ValueIds arg_min(Node& node) { return arg_reduce(node, false); }

ValueIds softmax(Node& node) { return softmax(node, ir::SoftmaxKind::Softmax); }
ValueIds log_softmax(Node& node) { return softmax(node, ir::SoftmaxKind::LogSoftmax); }
ValueIds hardmax(Node& node) { return softmax(node, ir::SoftmaxKind::Hardmax); }

ValueIds cumsum(Node& node) {
  ir::CumSumAttributes attributes;
  attributes.exclusive = node.flag("exclusive", false);
  attributes.reverse = node.flag("reverse", false);
  return {node.add(Op::CumSum, {node.in(0), node.in(1)}, attributes)};
}

ValueIds top_k(Node& node) {
  ir::TopKAttributes attributes;
  attributes.axis = node.axis_in(node.integer("axis", -1), node.rank(node.in(0)));
  attributes.largest = node.flag("largest", true);
  attributes.sorted = node.flag("sorted", true);
  const ValueId count =
      node.opset() < 10 ? node.ints_constant({node.required_integer("k")}) : node.in(1);
  return node.add_several(Op::TopK, {node.in(0), count}, attributes, 2);
}

namespace {

template <class Enum>
Enum choice(Node& node, const char* name, const char* otherwise) {
  const std::string chosen = node.text(name, otherwise);
  const auto parsed = ir::parse_enum<Enum>(chosen);
  if (!parsed) fail("{} is '{}'; allowed: {}", name, chosen, join(ir::kEnumText<Enum>, ", "));
  return *parsed;
}

/// An optional input; exports give an empty tensor for "absent".
ValueId filled(Node& node, size_t input) {
  const ValueId id = node.optional(input);
  if (id == kNoValue) return id;
  const ir::Shape& shape = node.value(id).shape;
  return shape.size() == 1 && shape[0] == ir::Dim(0) ? kNoValue : id;
}

}  // namespace

ValueIds resize(Node& node) {
  ir::ResizeAttributes attributes;
  attributes.mode = choice<ir::ResizeMode>(node, "mode", "nearest");
  const ValueId x = node.in(0);
  if (node.opset() < 11) {
    attributes.coordinates = ir::CoordinateMode::Asymmetric;
    attributes.nearest = ir::NearestMode::Floor;
    return {node.add(Op::Resize, {x, kNoValue, node.in(1)}, attributes)};
  }
  attributes.coordinates =
      choice<ir::CoordinateMode>(node, "coordinate_transformation_mode", "half_pixel");
  attributes.nearest = choice<ir::NearestMode>(node, "nearest_mode", "round_prefer_floor");
  attributes.keep_aspect = choice<ir::KeepAspect>(node, "keep_aspect_ratio_policy", "stretch");
  attributes.cubic_a = node.real("cubic_coeff_a", -0.75f);
  attributes.exclude_outside = node.flag("exclude_outside", false);
  attributes.antialias = node.flag("antialias", false);
  attributes.extrapolation = node.real("extrapolation_value", 0);
  attributes.axes = node.ints("axes");
  for (int64_t& axis : attributes.axes) axis = node.axis_in(axis, node.rank(x));
  const bool crops = attributes.coordinates == ir::CoordinateMode::TfCropAndResize;
  ValueIds inputs = {x, crops ? filled(node, 1) : kNoValue, filled(node, 2)};
  if (const ValueId sizes = filled(node, 3); sizes != kNoValue) {
    inputs[2] = kNoValue;
    inputs.push_back(sizes);
  }
  return {node.add(Op::Resize, inputs, attributes)};
}

ValueIds upsample(Node& node) {
  ir::ResizeAttributes attributes;
  const std::string mode = node.text("mode", "nearest");
  attributes.mode =
      mode == "bilinear" ? ir::ResizeMode::Linear : choice<ir::ResizeMode>(node, "mode", "nearest");
  attributes.coordinates = ir::CoordinateMode::Asymmetric;
  attributes.nearest = ir::NearestMode::Floor;
  const ValueId x = node.in(0);
  ValueId scales = node.optional(1);
  if (node.opset() < 9) {
    ir::Floats factors = node.reals("scales");
    if (node.opset() < 7)
      factors = {1, 1, node.real("height_scale", 1), node.real("width_scale", 1)};
    const auto count = static_cast<int64_t>(factors.size());
    scales = node.constant(ir::Tensor::of<float>({count}, factors));
  }
  return {node.add(Op::Resize, {x, kNoValue, scales}, attributes)};
}

ValueIds non_max_suppression(Node& node) {
  ValueIds inputs = {node.in(0), node.in(1)};
  for (size_t i = 2; i < node.input_count(); ++i) inputs.push_back(node.optional(i));
  return {node.add(Op::NonMaxSuppression, inputs,
                   ir::NmsAttributes{node.flag("center_point_box", false)})};
}

ValueIds roi_align(Node& node) {
  ir::RoiAlignAttributes attributes;
  const std::string mode = node.text("mode", "avg");
  if (mode != "avg" && mode != "max") fail("mode is '{}'; avg and max are allowed", mode);
  attributes.kind = mode == "max" ? ir::RoiPoolKind::Max : ir::RoiPoolKind::Average;
  attributes.coordinates =
      node.opset() < 16
          ? ir::RoiCoordinates::OutputHalfPixel
          : choice<ir::RoiCoordinates>(node, "coordinate_transformation_mode", "half_pixel");
  attributes.output_height = node.integer("output_height", 1);
  attributes.output_width = node.integer("output_width", 1);
  attributes.sampling_ratio = node.integer("sampling_ratio", 0);
  attributes.spatial_scale = node.real("spatial_scale", 1);
  if (attributes.output_height < 1 || attributes.output_width < 1 || attributes.sampling_ratio < 0)
    fail("output_height and output_width must be 1 or more, sampling_ratio 0 or more");
  return {node.add(Op::RoiAlign, {node.in(0), node.in(1), node.in(2)}, attributes)};
}

ValueIds grid_sample(Node& node) {
  ir::GridSampleAttributes attributes;
  std::string mode = node.text("mode", "linear");
  if (mode == "bilinear") mode = "linear";
  if (mode == "bicubic") mode = "cubic";
  const auto parsed = ir::parse_enum<ir::SampleMode>(mode);
  if (!parsed) fail("mode is '{}'; linear, nearest and cubic are allowed", mode);
  attributes.mode = *parsed;
  attributes.padding = choice<ir::SamplePadding>(node, "padding_mode", "zeros");
  attributes.align_corners = node.flag("align_corners", false);
  return {node.add(Op::GridSample, {node.in(0), node.in(1)}, attributes)};
}

}  // namespace dlaexec::onnx
