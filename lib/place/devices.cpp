// The user's wishes: which device each layer should run on.
#include <algorithm>

#include "base/wildcard.h"
#include "place/placement.h"

namespace dlaexec::place {

void choose_devices(ir::Graph& graph, const Options& options) {
  for (ir::Node& node : graph.nodes) {
    const auto* entry = entry_for(options.layer_devices, node.name);
    node.device = entry ? entry->second : options.default_device;
  }
}

std::vector<std::string> unmatched_patterns(const ir::Graph& graph, const Options& options) {
  std::vector<std::string> patterns;
  for (const auto& entry : options.layer_devices) {
    const bool matched =
        std::any_of(graph.nodes.begin(), graph.nodes.end(),
                    [&](const ir::Node& node) { return matches_wildcard(entry.first, node.name); });
    if (!matched) patterns.push_back(entry.first);
  }
  return patterns;
}

}  // namespace dlaexec::place
