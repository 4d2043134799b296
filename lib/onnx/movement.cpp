// Ops that move elements, and shapes.
#include <algorithm>
#include <numeric>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// axes of an input (opset 13 on) or an attribute: known ones, made non-negative and ascending.
struct Axes {
  std::optional<ir::Ints> known;  ///< nothing: only the input tells
  ValueId input = kNoValue;
};

Axes axes_of(Node& node, int64_t first_input_opset, int64_t rank) {
  Axes axes;
  if (node.opset() >= first_input_opset) {
    axes.input = node.optional(1);
    axes.known = axes.input == kNoValue ? ir::Ints() : node.known(axes.input);
  } else {
    axes.known = node.ints("axes");
  }
  if (axes.known) {
    for (int64_t& axis : *axes.known) axis = node.axis_in(axis, rank);
    std::sort(axes.known->begin(), axes.known->end());
  }
  return axes;
}

/// The output's rank when the axes are not known by value: their number is the input's size.
int64_t count_of(Node& node, const Axes& axes) {
  if (axes.known) return static_cast<int64_t>(axes.known->size());
  const ir::Shape& shape = node.shape(axes.input);
  if (shape.size() != 1 || !shape[0].is_known()) fail("the number of axes must be known");
  return shape[0].value;
}

}  // namespace

ValueIds concat(Node& node) {
  ValueIds parts;
  for (size_t i = 0; i < node.input_count(); ++i) parts.push_back(node.in(i));
  if (parts.empty()) fail("there is nothing to join");
  const int64_t axis = node.opset() < 4 ? node.integer("axis", 1) : node.required_integer("axis");
  return {node.concat(parts, node.axis_in(axis, node.rank(parts[0])))};
}

ValueIds split(Node& node) {
  const ValueId x = node.in(0);
  const int64_t axis = node.axis_in(node.integer("axis", 0), node.rank(x));
  ValueIds inputs = {x};
  if (node.opset() >= 13 || (node.opset() < 2 && node.has(1))) {
    if (node.has(1)) inputs.push_back(node.in(1));
    const int64_t count = node.integer("num_outputs", static_cast<int64_t>(node.output_count()));
    if (count != static_cast<int64_t>(node.output_count()))
      fail("num_outputs is {}; the node has {} outputs", count, node.output_count());
  } else if (const ir::Ints sizes = node.ints("split"); !sizes.empty()) {
    inputs.push_back(node.ints_constant(sizes));
  }
  return node.add_several(Op::Split, inputs, ir::AxisAttributes{axis}, node.output_count());
}

ValueIds slice(Node& node) {
  if (node.opset() < 10) {
    const ir::Ints starts = node.ints("starts");
    const ir::Ints ends = node.ints("ends");
    ir::Ints axes = node.ints("axes");
    if (axes.empty()) {
      axes.resize(starts.size());
      std::iota(axes.begin(), axes.end(), 0);
    }
    return {node.add(Op::Slice, {node.in(0), node.ints_constant(starts), node.ints_constant(ends),
                                 node.ints_constant(axes)})};
  }
  ValueIds inputs = {node.in(0), node.in(1), node.in(2)};
  if (node.has(3) || node.has(4)) inputs.push_back(node.optional(3));
  if (node.has(4)) inputs.push_back(node.in(4));
  return {node.add(Op::Slice, inputs)};
}

ValueIds reshape(Node& node) {
  if (node.opset() < 5) {
    node.ignore("consumed_inputs");
    return {node.reshape(node.in(0), node.ints("shape"))};
  }
  return {node.add(Op::Reshape, {node.in(0), node.in(1)},
                   ir::ReshapeAttributes{node.flag("allowzero", false)})};
}

ValueIds flatten(Node& node) {
  const int64_t rank = node.rank(node.in(0));
  const int64_t axis = node.integer("axis", 1);
  if (axis < -rank || axis > rank)
    fail("axis is {}; an input of {} dimensions allows {} to {}", axis, rank, -rank, rank);
  return {node.add(Op::Flatten, {node.in(0)}, ir::AxisAttributes{axis < 0 ? axis + rank : axis})};
}

ValueIds squeeze(Node& node) {
  const ValueId x = node.in(0);
  Axes axes = axes_of(node, 13, node.rank(x));
  const bool all = axes.known && axes.known->empty() && axes.input == kNoValue;
  if (all) {
    for (int64_t i = 0; i < node.rank(x); ++i) {
      const ir::Dim& dim = node.shape(x)[static_cast<size_t>(i)];
      if (!dim.is_known())
        fail("no axes are given and a dimension is not known; give the axes in the model");
      if (dim.value == 1) axes.known->push_back(i);
    }
  }
  if (axes.known && axes.known->empty()) return {node.add(Op::Identity, {x})};
  if (axes.known) return {node.squeeze(x, *axes.known)};
  return {node.add(Op::Squeeze, {x, axes.input})};
}

ValueIds unsqueeze(Node& node) {
  const ValueId x = node.in(0);
  Axes axes;
  if (node.opset() >= 13) {
    axes.input = node.in(1);
    axes.known = node.known(axes.input);
  } else {
    axes.known = node.ints("axes");
  }
  const int64_t rank = node.rank(x) + count_of(node, axes);
  if (!axes.known) return {node.add(Op::Unsqueeze, {x, axes.input})};
  for (int64_t& axis : *axes.known) axis = node.axis_in(axis, rank);
  std::sort(axes.known->begin(), axes.known->end());
  return {node.unsqueeze(x, *axes.known)};
}

ValueIds transpose(Node& node) {
  ir::Ints reversed(static_cast<size_t>(node.rank(node.in(0))));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return {node.transpose(node.in(0), node.ints("perm", reversed))};
}

ValueIds pad(Node& node) {
  ir::PadAttributes attributes;
  const std::string mode = node.text("mode", "constant");
  const auto parsed = ir::parse_enum<ir::PadMode>(mode);
  if (!parsed) fail("mode is '{}'; constant, edge, reflect and wrap are allowed", mode);
  attributes.mode = *parsed;
  const ValueId x = node.in(0);
  if (node.opset() < 11) {
    const ir::Ints pads = node.ints(node.opset() < 2 ? "paddings" : "pads");
    const float value = node.real("value", 0);
    return {node.add(Op::Pad, {x, node.ints_constant(pads), node.number(value, x)}, attributes)};
  }
  ValueIds inputs = {x, node.in(1)};
  if (node.has(2) || node.has(3)) inputs.push_back(node.optional(2));
  if (node.has(3)) inputs.push_back(node.in(3));
  return {node.add(Op::Pad, inputs, attributes)};
}

ValueIds expand(Node& node) { return {node.add(Op::Expand, {node.in(0), node.in(1)})}; }

ValueIds tile(Node& node) {
  const ValueId x = node.in(0);
  if (node.opset() >= 6) return {node.add(Op::Tile, {x, node.in(1)})};
  const ir::Ints count = node.required(node.in(1), "the tiles");
  const ir::Ints axis = node.required(node.in(2), "the axis");
  ir::Ints repeats(static_cast<size_t>(node.rank(x)), 1);
  if (count.size() != 1 || axis.size() != 1) fail("tiles and axis must be one number each");
  repeats[static_cast<size_t>(node.axis_in(axis[0], node.rank(x)))] = count[0];
  return {node.add(Op::Tile, {x, node.ints_constant(repeats)})};
}

ValueIds shape(Node& node) {
  const int64_t start = node.integer("start", 0);
  return {node.shape_of(node.in(0), start, node.integer("end", INT64_MAX))};
}

ValueIds size(Node& node) { return {node.add(Op::Size, {node.in(0)})}; }

namespace {

ValueIds depth(Node& node, Op op) {
  ir::DepthAttributes attributes;
  attributes.block = node.required_integer("blocksize");
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") fail("mode is '{}'; DCR and CRD are allowed", mode);
  attributes.order = mode == "CRD" ? ir::DepthOrder::Crd : ir::DepthOrder::Dcr;
  return {node.add(op, {node.in(0)}, attributes)};
}

}  // namespace

ValueIds depth_to_space(Node& node) { return depth(node, Op::DepthToSpace); }
ValueIds space_to_depth(Node& node) { return depth(node, Op::SpaceToDepth); }

ValueIds constant(Node& node) {
  if (auto tensor = node.tensor("value")) return {node.constant(*tensor)};
  if (node.has_attribute("value_float"))
    return {node.constant(ir::Tensor::scalar(node.real("value_float", 0)))};
  if (node.has_attribute("value_int"))
    return {node.constant(ir::Tensor::scalar(node.integer("value_int", 0)))};
  if (node.has_attribute("value_ints")) return {node.ints_constant(node.ints("value_ints"))};
  if (node.has_attribute("value_floats")) {
    const ir::Floats values = node.reals("value_floats");
    return {node.constant(ir::Tensor::of<float>({static_cast<int64_t>(values.size())}, values))};
  }
  fail("the constant is a text or sparse; dense numbers are supported");
}

ValueIds constant_of_shape(Node& node) {
  ir::ConstantOfShapeAttributes attributes;
  if (const auto value = node.tensor("value")) {
    if (value->count() != 1) fail("the value has {} elements; it must be one", value->count());
    attributes.type = value->type();
    attributes.value = ir::is_float(value->type()) ? static_cast<double>(value->to_floats()[0])
                                                   : static_cast<double>(value->to_ints()[0]);
  }
  return {node.add(Op::ConstantOfShape, {node.in(0)}, attributes)};
}

ValueIds range(Node& node) { return {node.add(Op::Range, {node.in(0), node.in(1), node.in(2)})}; }

ValueIds eye_like(Node& node) {
  const ValueId x = node.in(0);
  if (node.rank(x) != 2 || !ir::is_static(node.shape(x)))
    fail("the input has shape {}; two known dimensions are needed", ir::to_text(node.shape(x)));
  const ir::Dims dims = ir::dims_of(node.shape(x));
  constexpr int64_t kMostElements = int64_t{1} << 24;
  if (ir::volume(dims) > kMostElements)
    fail("the identity of {} has {} elements; at most {} are made", ir::to_text(dims),
         ir::volume(dims), kMostElements);
  const int64_t k = node.integer("k", 0);
  std::vector<float> elements(static_cast<size_t>(ir::volume(dims)), 0.0f);
  for (int64_t i = 0; i < dims[0]; ++i)
    if (i + k >= 0 && i + k < dims[1]) elements[static_cast<size_t>(i * dims[1] + i + k)] = 1;
  const ir::DataType type = node.type("dtype", node.type_of(x));
  return {node.constant(ir::Tensor::of<float>(dims, elements).converted(type))};
}

ValueIds gather(Node& node) {
  const int64_t axis = node.axis_in(node.integer("axis", 0), node.rank(node.in(0)));
  return {node.add(Op::Gather, {node.in(0), node.in(1)}, ir::AxisAttributes{axis})};
}

ValueIds gather_elements(Node& node) {
  const int64_t axis = node.axis_in(node.integer("axis", 0), node.rank(node.in(0)));
  return {node.add(Op::GatherElements, {node.in(0), node.in(1)}, ir::AxisAttributes{axis})};
}

ValueIds gather_nd(Node& node) {
  return {node.add(Op::GatherNd, {node.in(0), node.in(1)},
                   ir::GatherNdAttributes{node.integer("batch_dims", 0)})};
}

namespace {

ir::Reduction reduction_of(Node& node) {
  const std::string name = node.text("reduction", "none");
  const auto reduction = ir::parse_enum<ir::Reduction>(name);
  if (!reduction) fail("reduction is '{}'; none, add, mul, max and min are allowed", name);
  return *reduction;
}

}  // namespace

ValueIds scatter_elements(Node& node) {
  const int64_t axis = node.axis_in(node.integer("axis", 0), node.rank(node.in(0)));
  return {node.add(Op::ScatterElements, {node.in(0), node.in(1), node.in(2)},
                   ir::ScatterAttributes{axis, reduction_of(node)})};
}

ValueIds scatter_nd(Node& node) {
  return {node.add(Op::ScatterNd, {node.in(0), node.in(1), node.in(2)},
                   ir::ScatterAttributes{0, reduction_of(node)})};
}

ValueIds one_hot(Node& node) {
  const int64_t axis = node.axis_in(node.integer("axis", -1), node.rank(node.in(0)) + 1);
  const ValueId indices = node.cast(node.in(0), ir::DataType::Int64);
  const ValueId depth_value = node.cast(node.in(1), ir::DataType::Int64);
  return {node.add(Op::OneHot, {indices, depth_value, node.in(2)}, ir::AxisAttributes{axis})};
}

ValueIds trilu(Node& node) {
  ValueIds inputs = {node.in(0)};
  if (node.has(1)) inputs.push_back(node.in(1));
  return {node.add(Op::Trilu, inputs, ir::TriluAttributes{node.flag("upper", true)})};
}

ValueIds nonzero(Node& node) { return {node.add(Op::NonZero, {node.in(0)})}; }

ValueIds unique(Node& node) {
  ValueId x = node.in(0);
  ir::UniqueAttributes attributes;
  attributes.sorted = node.flag("sorted", true);
  if (node.has_attribute("axis"))
    attributes.axis = node.axis_in(node.integer("axis", 0), node.rank(x));
  else
    x = node.reshape(x, {-1});
  return node.add_several(Op::Unique, {x}, attributes, 4);
}

ValueIds compress(Node& node) {
  ValueId x = node.in(0);
  int64_t axis = 0;
  if (node.has_attribute("axis"))
    axis = node.axis_in(node.integer("axis", 0), node.rank(x));
  else
    x = node.reshape(x, {-1});
  const ValueId positions = node.squeeze(node.add(Op::NonZero, {node.in(1)}), {0});
  return {node.add(Op::Gather, {x, positions}, ir::AxisAttributes{axis})};
}

ValueIds reverse_sequence(Node& node) {
  const ValueId x = node.in(0);
  const int64_t time = node.integer("time_axis", 0);
  const int64_t batch = node.integer("batch_axis", 1);
  if (node.rank(x) < 2 || time + batch != 1 || (time != 0 && batch != 0))
    fail("time_axis is {} and batch_axis {}; 0 and 1 are allowed", time, batch);
  // Position t of a sequence of length n comes from n - 1 - t where that is not negative.
  const ValueId zero = node.constant(ir::Tensor::scalar<int64_t>(0));
  const ValueId one = node.constant(ir::Tensor::scalar<int64_t>(1));
  const ValueId steps = node.squeeze(node.shape_of(x, time, time + 1), {0});
  const ValueId range_of_steps = node.add(Op::Range, {zero, steps, one});
  const ValueId t = node.unsqueeze(range_of_steps, {batch});
  const ValueId length = node.unsqueeze(node.in(1), {time});
  const ValueId last = node.binary(ElementwiseKind::Sub, length, one);
  const ValueId mirrored = node.binary(ElementwiseKind::Sub, last, t);
  const ValueId inside = node.binary(ElementwiseKind::GreaterOrEqual, mirrored, zero);
  ValueId index = node.add(Op::Where, {inside, mirrored, t});
  ir::Ints trailing;
  for (int64_t i = 2; i < node.rank(x); ++i) trailing.push_back(i);
  if (!trailing.empty()) index = node.unsqueeze(index, trailing);
  index = node.add(Op::Expand, {index, node.shape_of(x)});
  return {node.add(Op::GatherElements, {x, index}, ir::AxisAttributes{time})};
}

ValueIds center_crop_pad(Node& node) {
  const ValueId x = node.in(0);
  ir::Ints axes(static_cast<size_t>(node.rank(x)));
  std::iota(axes.begin(), axes.end(), 0);
  axes = node.ints("axes", axes);
  for (int64_t& axis : axes) axis = node.axis_in(axis, node.rank(x));
  const ValueId axes_value = node.ints_constant(axes);
  const ValueId sizes = node.add(Op::Gather, {node.shape_of(x), axes_value}, ir::AxisAttributes{0});
  const ValueId target = node.cast(node.in(1), ir::DataType::Int64);
  // Half of the change at either end; the odd element at the last one.
  const ValueId change = node.binary(ElementwiseKind::Sub, target, sizes);
  const ValueId begins = node.binary(ElementwiseKind::Div, change, node.number(2, change));
  const ValueId ends = node.binary(ElementwiseKind::Sub, change, begins);
  return {node.add(Op::Pad, {x, node.concat({begins, ends}, 0), kNoValue, axes_value})};
}

/// Experimental: cuts a border, and down to a size when one is given.
ValueIds crop(Node& node) {
  const ValueId x = node.in(0);
  const ir::Ints border = node.ints("border");
  const ir::Ints scale = node.ints("scale");
  if (border.size() != 4 || node.rank(x) != 4)
    fail("border must have 4 entries (left, top, right, bottom) and the input 4 dimensions");
  const bool sized = scale.size() == 2;
  const int64_t bottom = sized ? border[1] + scale[0] : border[3] == 0 ? INT64_MAX : -border[3];
  const int64_t right = sized ? border[0] + scale[1] : border[2] == 0 ? INT64_MAX : -border[2];
  return {node.add(Op::Slice, {x, node.ints_constant({border[1], border[0]}),
                               node.ints_constant({bottom, right}), node.ints_constant({2, 3})})};
}

}  // namespace dlaexec::onnx
