#include "gpu/cut.h"

#include "gpu/bounds.h"

namespace dlaexec::gpu {

std::vector<Run> cut(const ir::Graph& graph, const std::vector<int>& nodes, const Target& target) {
  const Bounded bounded = gpu::bounded(graph, target);
  std::vector<Run> runs;
  std::set<std::string> counted;  // by the present run
  for (const int index : nodes) {
    const ir::Node& node = bounded.graph.nodes[static_cast<size_t>(index)];
    std::optional<std::string> reason = why_not(bounded.graph, node, target);
    if (!reason) reason = why_not_rows(bounded, node, counted);
    const bool on_device = !reason;
    if (runs.empty() || runs.back().on_device != on_device) {
      runs.push_back({{}, on_device, {}});
      counted.clear();
    }
    runs.back().nodes.push_back(index);
    if (reason) runs.back().reasons.push_back(std::move(*reason));
    if (const std::string* size = bounded.counted_by(node)) counted.insert(*size);
  }
  return runs;
}

}  // namespace dlaexec::gpu
