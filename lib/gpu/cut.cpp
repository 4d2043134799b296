#include "gpu/cut.h"

namespace dlaexec::gpu {

std::vector<Run> cut(const ir::Graph& graph, const std::vector<int>& nodes, const Target& target) {
  std::vector<Run> runs;
  for (const int index : nodes) {
    const bool on_device =
        !why_not(graph, graph.nodes[static_cast<size_t>(index)], target).has_value();
    if (runs.empty() || runs.back().on_device != on_device) runs.push_back({{}, on_device});
    runs.back().nodes.push_back(index);
  }
  return runs;
}

}  // namespace dlaexec::gpu
