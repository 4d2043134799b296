// Inference through the bodies of If, Loop and Scan.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// Dimensions that differ become unknown; ranks that differ leave no rank.
Shape common_shape(const Shape& a, const Shape& b, const std::string& name) {
  if (a == b) return a;
  if (a.size() != b.size() || !is_ranked(a) || !is_ranked(b)) return unranked();
  Shape shape = a;
  for (size_t i = 0; i < shape.size(); ++i)
    if (a[i] != b[i]) shape[i] = Dim(format("{}.{}", name, i));
  return shape;
}

/// Values that the body takes from the graph around it get the outer value's type and shape.
void set_captured(const Graph& outer, Graph& body) {
  const std::vector<int> made_by = producers(body);
  for (size_t i = 0; i < body.values.size(); ++i) {
    Value& value = body.values[i];
    const auto id = static_cast<ValueId>(i);
    if (made_by[i] >= 0 || value.constant || body.is_input(id)) continue;
    const auto outer_id = outer.find_value(value.name);
    if (!outer_id) continue;
    value.type = outer.value(*outer_id).type;
    value.shape = outer.value(*outer_id).shape;
    value.quantization = outer.value(*outer_id).quantization;
    value.constant = outer.value(*outer_id).constant;
  }
}

void infer_body(Graph& body, Inference::Types types) {
  Inference inference(body, types);
  for (Node& node : body.nodes) inference.visit(node);
}

Value& output_of(Graph& body, size_t index) { return body.value(body.outputs[index]); }

BodyResult infer_if(const Graph& graph, Node& node, Inference::Types types) {
  auto& branches = node.get<IfAttributes>();
  Graph then_body = *branches.then_branch;
  Graph else_body = *branches.else_branch;
  for (Graph* body : {&then_body, &else_body}) {
    set_captured(graph, *body);
    infer_body(*body, types);
    if (body->outputs.size() != node.outputs.size())
      fail("a branch has {} outputs; the node has {}", body->outputs.size(), node.outputs.size());
  }
  BodyResult result;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value& then_value = output_of(then_body, i);
    const Value& else_value = output_of(else_body, i);
    if (then_value.type != else_value.type)
      fail("output {} is {} in one branch and {} in the other", i, text(then_value.type),
           text(else_value.type));
    result.types.push_back(then_value.type);
    result.shapes.push_back(
        common_shape(then_value.shape, else_value.shape, graph.value(node.outputs[i]).name));
  }
  branches.then_branch = std::make_shared<const Graph>(std::move(then_body));
  branches.else_branch = std::make_shared<const Graph>(std::move(else_body));
  return result;
}

/// Where each kind of a loop's inputs and outputs begins.
struct LoopLayout {
  size_t first_state;       ///< among the node's inputs
  size_t body_first_state;  ///< among the body's inputs
  size_t states;
  size_t scans_in;
  size_t body_first_result;  ///< among the body's outputs
};

LoopLayout layout_of(const Node& node, const Graph& body) {
  const auto& loop = node.get<LoopAttributes>();
  LoopLayout layout{};
  if (node.op == Op::Loop) {
    layout = {2, 2, node.inputs.size() - 2, 0, 1};
  } else {
    layout.scans_in = static_cast<size_t>(loop.scan_inputs);
    if (loop.scan_inputs < 0 || layout.scans_in > node.inputs.size())
      fail("{} scan inputs are named; the node has {} inputs", loop.scan_inputs,
           node.inputs.size());
    layout.states = node.inputs.size() - layout.scans_in;
  }
  const size_t wanted = layout.body_first_state + layout.states + layout.scans_in;
  if (body.inputs.size() != wanted)
    fail("the body has {} inputs; {} are needed", body.inputs.size(), wanted);
  if (body.outputs.size() < layout.body_first_result + layout.states ||
      body.outputs.size() - layout.body_first_result != node.outputs.size())
    fail("the body has {} outputs and the node {}; they do not fit", body.outputs.size(),
         node.outputs.size());
  return layout;
}

void set_scan_inputs(const Graph& graph, const Node& node, const LoopLayout& layout, Graph& body) {
  const auto& loop = node.get<LoopAttributes>();
  for (size_t i = 0; i < layout.scans_in; ++i) {
    const ValueId id = node.inputs[layout.states + i];
    if (id == kNoValue) fail("scan input {} is absent", i);
    const Value& whole = graph.value(id);
    Value& slice = body.value(body.inputs[layout.states + i]);
    slice.type = whole.type;
    slice.shape = whole.shape;
    if (!is_ranked(whole.shape)) continue;
    const int64_t axis = i < loop.scan_input_axes.size() ? loop.scan_input_axes[i] : 0;
    const auto at = Site::axis_in(axis, static_cast<int64_t>(whole.shape.size()));
    slice.shape.erase(slice.shape.begin() + static_cast<long>(at));
  }
}

/// Infers the body until the shapes of the carried values no longer change: at most once with the
/// first shapes, once with unknown dimensions, once with unknown ranks.
void settle(const Graph& graph, const Node& node, const LoopLayout& layout, Graph& body,
            Inference::Types types) {
  for (size_t i = 0; i < layout.states; ++i) {
    const ValueId id = node.inputs[layout.first_state + i];
    if (id == kNoValue) fail("carried value {} is absent", i);
    Value& state = body.value(body.inputs[layout.body_first_state + i]);
    state.type = graph.value(id).type;
    state.shape = graph.value(id).shape;
  }
  for (int round = 0; round < 4; ++round) {
    infer_body(body, types);
    bool changed = false;
    for (size_t i = 0; i < layout.states; ++i) {
      Value& state = body.value(body.inputs[layout.body_first_state + i]);
      const Value& next = output_of(body, layout.body_first_result + i);
      const Shape common = common_shape(state.shape, next.shape, state.name);
      if (common == state.shape) continue;
      state.shape = round < 2 ? common : unranked();
      changed = true;
    }
    if (!changed) return;
  }
}

Dim trip_count(const Graph& graph, const Node& node, const LoopLayout& layout) {
  if (node.op == Op::Scan && layout.scans_in > 0) {
    const Shape& whole = graph.value(node.inputs[layout.states]).shape;
    const auto& loop = node.get<LoopAttributes>();
    const int64_t axis = loop.scan_input_axes.empty() ? 0 : loop.scan_input_axes[0];
    if (is_ranked(whole)) return whole[Site::axis_in(axis, static_cast<int64_t>(whole.size()))];
  }
  return Dim(node.name + ".trips");
}

BodyResult infer_loop(const Graph& graph, Node& node, Inference::Types types) {
  auto& loop = node.get<LoopAttributes>();
  Graph body = *loop.body;
  const LoopLayout layout = layout_of(node, body);
  set_captured(graph, body);
  if (node.op == Op::Loop) {
    body.value(body.inputs[0]).type = DataType::Int64;
    body.value(body.inputs[0]).shape = {};
    body.value(body.inputs[1]).type = DataType::Bool;
    body.value(body.inputs[1]).shape = {};
  }
  set_scan_inputs(graph, node, layout, body);
  settle(graph, node, layout, body, types);
  const Dim trips = trip_count(graph, node, layout);
  BodyResult result;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value& inner = output_of(body, layout.body_first_result + i);
    result.types.push_back(inner.type);
    Shape shape = i < layout.states ? body.value(body.inputs[layout.body_first_state + i]).shape
                                    : inner.shape;
    if (i >= layout.states && is_ranked(shape)) {
      const size_t scan = i - layout.states;
      const int64_t axis = scan < loop.scan_output_axes.size() ? loop.scan_output_axes[scan] : 0;
      const auto rank = static_cast<int64_t>(shape.size()) + 1;
      shape.insert(shape.begin() + static_cast<long>(Site::axis_in(axis, rank)), trips);
    }
    result.shapes.push_back(shape);
  }
  loop.body = std::make_shared<const Graph>(std::move(body));
  return result;
}

}  // namespace

BodyResult infer_bodies(const Graph& graph, Node& node, Inference::Types types) {
  const bool has_bodies = node.op == Op::If ? node.get<IfAttributes>().then_branch &&
                                                  node.get<IfAttributes>().else_branch
                                            : node.get<LoopAttributes>().body != nullptr;
  if (!has_bodies) fail("the body is missing");
  return node.op == Op::If ? infer_if(graph, node, types) : infer_loop(graph, node, types);
}

}  // namespace dlaexec::ir
