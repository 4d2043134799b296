#include "gpu/bounds.h"

#include <algorithm>

#include "base/error.h"
#include "gpu/families.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

bool counts(const ir::Graph& graph, const ir::Node& node, const Target& target) {
  return family_of(node.op).most && !ir::is_static(graph.value(node.outputs[0]).shape) &&
         !why_not(graph, node, target);
}

/// The first symbol of @p shape.
size_t open_axis(const ir::Shape& shape) {
  const auto open =
      std::find_if(shape.begin(), shape.end(), [](const ir::Dim& dim) { return !dim.is_known(); });
  return static_cast<size_t>(open - shape.begin());
}

/// The axis that @p attribute means among those of @p value.
size_t axis_of(const ir::Value& value, int64_t attribute) {
  return static_cast<size_t>(attribute < 0 ? attribute + std::ssize(value.shape) : attribute);
}

/// True if a slice takes nothing of axis @p open, of @p rank axes.
bool slices_beside(const ir::Graph& graph, const ir::Node& node, size_t open, int64_t rank) {
  const ir::Tensor* axes = node.inputs.size() > 3 ? graph.constant(node, 3) : nullptr;
  if (!axes) return false;
  const std::vector<int64_t> list = axes->to_ints();
  return std::none_of(list.begin(), list.end(), [&](int64_t axis) {
    return (axis < 0 ? axis + rank : axis) == static_cast<int64_t>(open);
  });
}

/// True if @p node makes each row of what is open from the same row, and from nothing else that is.
bool goes_by_rows(const Bounded& bounded, const ir::Node& node) {
  const auto open = [&](ir::ValueId id) {
    const auto found = bounded.open.find(id);
    return found == bounded.open.end() ? std::nullopt : std::optional<size_t>(found->second.axis);
  };
  const ir::Graph& graph = bounded.graph;
  const ir::Value &in = graph.value(node.inputs[0]), &out = graph.value(node.outputs[0]);
  const std::optional<size_t> open_in = open(node.inputs[0]), open_out = open(node.outputs[0]);
  if (!open_out) return false;
  switch (node.op) {
    case Op::Activation:
    case Op::Unary:
    case Op::Elementwise:
    case Op::Where:
    case Op::Cast:
    case Op::Reformat:
    case Op::Identity:
    case Op::Reshape:
    case Op::Flatten:
    case Op::Squeeze:
    case Op::Unsqueeze:
    case Op::Transpose:
      return true;
    case Op::Concat:
      return axis_of(out, node.get<ir::AxisAttributes>().axis) != *open_out;
    case Op::Slice:
      return open_in && slices_beside(graph, node, *open_in, std::ssize(in.shape));
    case Op::Gather:
      return !open_in || axis_of(in, node.get<ir::AxisAttributes>().axis) != *open_in;
    case Op::GatherNd:
      return !open_in && node.get<ir::GatherNdAttributes>().batch_dims == 0;
    default:
      return false;
  }
}

/// True if the elements of the first rows come first.
bool is_outermost(const ir::Value& value, size_t axis) {
  return std::all_of(value.shape.begin(), value.shape.begin() + static_cast<std::ptrdiff_t>(axis),
                     [](const ir::Dim& dim) { return dim.value == 1; });
}

}  // namespace

const std::string* Bounded::counted_by(const ir::Node& node) const {
  if (!family_of(node.op).most) return nullptr;
  const auto found = open.find(node.outputs[0]);
  return found == open.end() ? nullptr : &found->second.size;
}

Bounded bounded(const ir::Graph& graph, const Target& target) {
  Bounded bounded{graph, {}};
  std::map<std::string, int64_t> most;
  for (const ir::Node& node : graph.nodes)
    if (counts(graph, node, target)) {
      const size_t axis = open_axis(graph.value(node.outputs[0]).shape);
      most[graph.value(node.outputs[0]).shape[axis].symbol] =
          family_of(node.op).most(graph, node)[axis];
    }
  for (size_t i = 0; i < graph.values.size() && !most.empty(); ++i) {
    const ir::Shape& shape = graph.values[i].shape;
    const auto symbols = std::count_if(shape.begin(), shape.end(),
                                       [](const ir::Dim& dim) { return !dim.is_known(); });
    if (symbols != 1) continue;
    const size_t axis = open_axis(shape);
    const auto found = most.find(shape[axis].symbol);
    if (found == most.end()) continue;
    bounded.graph.values[i].shape[axis] = found->second;
    bounded.open[static_cast<ir::ValueId>(i)] = {axis, found->first};
  }
  return bounded;
}

std::optional<std::string> why_not_rows(const Bounded& bounded, const ir::Node& node,
                                        const std::set<std::string>& counted) {
  constexpr int64_t kMostElements = 4 << 20;  // more are too much work for what they may hold
  if (bounded.counted_by(node)) return std::nullopt;
  bool any = false;
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list) {
      const auto open = bounded.open.find(id);
      if (open == bounded.open.end()) continue;
      any = true;
      const ir::Value& value = bounded.graph.value(id);
      if (!counted.contains(open->second.size))
        return format("'{}' has a size that is counted elsewhere", value.name);
      if (!is_outermost(value, open->second.axis))
        return format("'{}' has rows of a size that data decides", value.name);
      if (ir::volume(ir::dims_of(value.shape)) > kMostElements)
        return format("'{}' may have {} elements", value.name,
                      ir::volume(ir::dims_of(value.shape)));
    }
  if (any && !goes_by_rows(bounded, node)) return std::string("a number of rows that data decides");
  return std::nullopt;
}

}  // namespace dlaexec::gpu
