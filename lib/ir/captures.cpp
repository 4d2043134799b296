#include "ir/captures.h"

namespace dlaexec::ir {
namespace {

void collect_captures(const Graph& outer, const Graph& body, std::vector<ValueId>& found) {
  const std::vector<int> made_by = producers(body);
  std::vector<ValueId> free_values;
  const auto note = [&](ValueId id) {
    if (id == kNoValue || made_by[static_cast<size_t>(id)] >= 0 || body.is_input(id)) return;
    if (body.value(id).constant) return;
    if (const auto outer_id = outer.find_value(body.value(id).name)) found.push_back(*outer_id);
  };
  for (const Node& node : body.nodes) {
    for (const ValueId id : node.inputs) note(id);
    for (const ValueId inner : captured_values(body, node)) note(inner);
  }
  for (const ValueId id : body.outputs) note(id);
}

}  // namespace

std::vector<ValueId> captured_values(const Graph& graph, const Node& node) {
  std::vector<ValueId> found;
  if (const auto* branch = std::get_if<IfAttributes>(&node.attributes)) {
    if (branch->then_branch) collect_captures(graph, *branch->then_branch, found);
    if (branch->else_branch) collect_captures(graph, *branch->else_branch, found);
  } else if (const auto* loop = std::get_if<LoopAttributes>(&node.attributes)) {
    if (loop->body) collect_captures(graph, *loop->body, found);
  }
  return found;
}

}  // namespace dlaexec::ir
