#include "passes/rewrite.h"

#include <algorithm>

namespace dlaexec::passes {

void replace_uses(ir::Graph& graph, ir::ValueId from, ir::ValueId to) {
  for (ir::Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(graph.outputs.begin(), graph.outputs.end(), from, to);
}

void add_origins(ir::Node& node, const ir::Node& swallowed) {
  node.origins.insert(node.origins.end(), swallowed.origins.begin(), swallowed.origins.end());
}

void erase_nodes(ir::Graph& graph, const std::vector<int>& indices) {
  std::vector<char> goes(graph.nodes.size(), 0);
  for (const int index : indices) goes[static_cast<size_t>(index)] = 1;
  std::vector<ir::Node> kept;
  kept.reserve(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (!goes[i]) kept.push_back(std::move(graph.nodes[i]));
  graph.nodes = std::move(kept);
}

std::vector<int> count_uses(const ir::Graph& graph) {
  std::vector<int> counts(graph.values.size(), 0);
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<int>(used_by[i].size());
  for (const ir::ValueId id : graph.outputs) ++counts[static_cast<size_t>(id)];
  return counts;
}

std::vector<char> captured_values(const ir::Graph& graph) {
  std::vector<size_t> direct(graph.values.size(), 0);
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.inputs)
      if (id != ir::kNoValue) ++direct[static_cast<size_t>(id)];
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  std::vector<char> captured(graph.values.size(), 0);
  for (size_t i = 0; i < captured.size(); ++i) captured[i] = used_by[i].size() > direct[i];
  return captured;
}

}  // namespace dlaexec::passes
