#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {
namespace {

bool keeps_shape(const ir::Graph& graph, const ir::Node& node) {
  return graph.value(node.inputs[0]).shape == graph.value(node.outputs[0]).shape;
}

bool is_all(const ir::Tensor* tensor, int64_t wanted) {
  if (!tensor) return false;
  const std::vector<int64_t> elements = tensor->to_ints();
  return std::all_of(elements.begin(), elements.end(), [&](int64_t e) { return e == wanted; });
}

bool is_ascending(const ir::Ints& perm) {
  for (size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<int64_t>(i)) return false;
  return true;
}

/// True if @p node gives its first input unchanged.
bool is_identity(const ir::Graph& graph, const ir::Node& node) {
  switch (node.op) {
    case ir::Op::Identity:
      return true;
    case ir::Op::Cast:
      return graph.value(node.inputs[0]).type == node.get<ir::CastAttributes>().to;
    case ir::Op::Reshape:
    case ir::Op::Flatten:
    case ir::Op::Squeeze:
    case ir::Op::Unsqueeze:
    case ir::Op::Expand:
      return keeps_shape(graph, node);
    case ir::Op::Transpose:
      return is_ascending(node.get<ir::TransposeAttributes>().perm);
    case ir::Op::Concat:
      return node.inputs.size() == 1;
    case ir::Op::Pad:
      return is_all(graph.constant(node, 1), 0);
    case ir::Op::Tile:
      return is_all(graph.constant(node, 1), 1);
    default:
      return false;
  }
}

/// Takes @p node out of the graph's wiring; false where the names of its tensors must stay.
bool bypass(ir::Graph& graph, const ir::Node& node, const std::vector<char>& captured,
            const std::vector<int>& made_by) {
  const ir::ValueId from = node.inputs[0], to = node.outputs[0];
  if (captured[static_cast<size_t>(to)]) return false;
  if (!graph.is_output(to)) {
    replace_uses(graph, to, from);
    return true;
  }
  // The network's output keeps its name: the node before makes it now.
  const int producer = made_by[static_cast<size_t>(from)];
  if (producer < 0 || graph.is_output(from) || captured[static_cast<size_t>(from)]) return false;
  std::vector<ir::ValueId>& made = graph.nodes[static_cast<size_t>(producer)].outputs;
  std::replace(made.begin(), made.end(), from, to);
  replace_uses(graph, from, to);
  return true;
}

}  // namespace

bool remove_identities(ir::Graph& graph) {
  const std::vector<char> captured = captured_values(graph);
  std::vector<int> removed;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    // Copied, since bypassing one rewires the inputs of the next.
    const ir::Node node = graph.nodes[i];
    if (is_identity(graph, node) && bypass(graph, node, captured, ir::producers(graph)))
      removed.push_back(static_cast<int>(i));
  }
  erase_nodes(graph, removed);
  return !removed.empty();
}

}  // namespace dlaexec::passes
