#include <algorithm>

#include "ir/dla_formats.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/types.h"

namespace dlaexec::passes {
namespace {

/// True if a node outside the segment of @p node uses one of its results.
bool leaves_segment(const ir::Graph& graph, const ir::Node& node, const std::vector<int>& users) {
  return std::any_of(users.begin(), users.end(), [&](int user) {
    const ir::Node& other = graph.nodes[static_cast<size_t>(user)];
    return !on_dla(other) || other.segment != node.segment;
  });
}

}  // namespace

bool assign_types(ir::Graph& graph) {
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  const std::vector<char> captured = captured_values(graph);
  bool changed = false;
  for (const ir::Node& node : graph.nodes) {
    for (const ir::ValueId id : node.outputs) {
      if (id == ir::kNoValue || graph.is_output(id) || captured[static_cast<size_t>(id)]) continue;
      ir::Value& value = graph.value(id);
      const ir::DataType type = delivered_type(graph, node, id);
      const bool crosses =
          on_dla(node) && leaves_segment(graph, node, used_by[static_cast<size_t>(id)]);
      const ir::Format format = crosses ? ir::cut_format(type) : ir::Format::Linear;
      changed |= value.type != type || value.format != format;
      value.type = type;
      value.format = format;
    }
  }
  return changed;
}

}  // namespace dlaexec::passes
