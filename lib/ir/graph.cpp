#include "ir/graph.h"

#include <algorithm>
#include <unordered_set>

#include "ir/captures.h"

namespace dlaexec::ir {
namespace {

/// Every value that a node needs: inputs that are there, then captured ones.
std::vector<ValueId> needs(const Graph& graph, const Node& node) {
  std::vector<ValueId> all;
  for (const ValueId id : node.inputs)
    if (id != kNoValue) all.push_back(id);
  for (const ValueId id : captured_values(graph, node)) all.push_back(id);
  return all;
}

}  // namespace

ValueId Graph::add_value(Value value) {
  if (find_value(value.name)) {
    int suffix = 1;
    while (find_value(format("{}_{}", value.name, suffix))) ++suffix;
    value.name = format("{}_{}", value.name, suffix);
  }
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_constant(std::string_view wanted, Tensor tensor) {
  Value made;
  made.name = wanted;
  made.type = tensor.type();
  made.shape = shape_of(tensor.dims());
  made.constant = std::move(tensor);
  return add_value(std::move(made));
}

Node& Graph::add_node(Op op, std::string_view wanted, std::vector<ValueId> node_inputs,
                      std::vector<ValueId> node_outputs) {
  Node node;
  node.op = op;
  node.name = wanted;
  node.inputs = std::move(node_inputs);
  node.outputs = std::move(node_outputs);
  node.attributes = default_attributes(op);
  node.origins = {node.name};
  nodes.push_back(std::move(node));
  return nodes.back();
}

std::optional<ValueId> Graph::find_value(std::string_view wanted) const {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].name == wanted) return static_cast<ValueId>(i);
  return std::nullopt;
}

bool Graph::is_output(ValueId id) const {
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

bool Graph::is_input(ValueId id) const {
  return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
}

const Tensor* Graph::constant(const Node& node, size_t index) const {
  const ValueId id = input(node, index);
  if (id == kNoValue || !value(id).constant) return nullptr;
  return &*value(id).constant;
}

std::vector<int> producers(const Graph& graph) {
  std::vector<int> made_by(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ValueId id : graph.nodes[i].outputs)
      if (id != kNoValue) made_by[static_cast<size_t>(id)] = static_cast<int>(i);
  return made_by;
}

std::vector<std::vector<int>> uses(const Graph& graph) {
  std::vector<std::vector<int>> used_by(graph.values.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ValueId id : needs(graph, graph.nodes[i]))
      used_by[static_cast<size_t>(id)].push_back(static_cast<int>(i));
  return used_by;
}

void sort_topologically(Graph& graph) {
  const std::vector<int> made_by = producers(graph);
  std::vector<int> order;
  std::vector<char> state(graph.nodes.size(), 0);  // 0 unseen, 1 on the way, 2 placed
  // Iterative, since a deep network would overflow the stack.
  for (size_t root = 0; root < graph.nodes.size(); ++root) {
    std::vector<std::pair<int, size_t>> stack;
    if (state[root] == 0) stack.emplace_back(static_cast<int>(root), 0);
    while (!stack.empty()) {
      auto& [index, next] = stack.back();
      const size_t at = static_cast<size_t>(index);
      state[at] = 1;
      const std::vector<ValueId> wanted = needs(graph, graph.nodes[at]);
      if (next == wanted.size()) {
        state[at] = 2;
        order.push_back(index);
        stack.pop_back();
        continue;
      }
      const int producer = made_by[static_cast<size_t>(wanted[next++])];
      if (producer < 0 || state[static_cast<size_t>(producer)] == 2) continue;
      if (state[static_cast<size_t>(producer)] == 1)
        fail("the graph has a cycle through node '{}'; a network must be acyclic",
             graph.nodes[static_cast<size_t>(producer)].name);
      stack.emplace_back(producer, 0);
    }
  }
  std::vector<Node> sorted;
  sorted.reserve(order.size());
  for (const int index : order)
    sorted.push_back(std::move(graph.nodes[static_cast<size_t>(index)]));
  graph.nodes = std::move(sorted);
}

bool remove_unused(Graph& graph) {
  std::vector<char> needed(graph.values.size(), 0);
  for (const ValueId id : graph.outputs) needed[static_cast<size_t>(id)] = 1;
  std::vector<Node> kept;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    const bool used = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return id != kNoValue && needed[static_cast<size_t>(id)];
    });
    if (!used) continue;
    for (const ValueId id : needs(graph, node)) needed[static_cast<size_t>(id)] = 1;
    for (const ValueId id : node.outputs)
      if (id != kNoValue) needed[static_cast<size_t>(id)] = 1;
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  bool changed = kept.size() != graph.nodes.size();
  graph.nodes = std::move(kept);
  for (const ValueId id : graph.inputs) needed[static_cast<size_t>(id)] = 1;

  std::vector<ValueId> renumbered(graph.values.size(), kNoValue);
  std::vector<Value> values;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) continue;
    renumbered[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  changed |= values.size() != graph.values.size();
  graph.values = std::move(values);
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids)
      if (id != kNoValue) id = renumbered[static_cast<size_t>(id)];
  };
  for (Node& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
  return changed;
}

Graph extract(const Graph& graph, const std::vector<int>& nodes, std::string name) {
  Graph part;
  part.name = std::move(name);
  std::unordered_map<ValueId, ValueId> mapped;
  const auto map_value = [&](ValueId id) {
    if (id == kNoValue) return kNoValue;
    const auto [at, fresh] = mapped.try_emplace(id, static_cast<ValueId>(part.values.size()));
    if (fresh) part.values.push_back(graph.value(id));
    return at->second;
  };

  std::unordered_set<ValueId> made;
  std::unordered_set<int> inside(nodes.begin(), nodes.end());
  for (const int index : nodes)
    for (const ValueId id : graph.nodes[static_cast<size_t>(index)].outputs) made.insert(id);

  std::unordered_set<ValueId> seen;
  for (const int index : nodes) {
    const Node& node = graph.nodes[static_cast<size_t>(index)];
    for (const ValueId id : needs(graph, node)) {
      if (made.contains(id) || graph.value(id).constant || !seen.insert(id).second) continue;
      part.inputs.push_back(map_value(id));
    }
    Node copy = node;
    for (ValueId& id : copy.inputs) id = map_value(id);
    for (ValueId& id : copy.outputs) id = map_value(id);
    part.nodes.push_back(std::move(copy));
  }
  const std::vector<std::vector<int>> used_by = uses(graph);
  for (const int index : nodes) {
    for (const ValueId id : graph.nodes[static_cast<size_t>(index)].outputs) {
      if (id == kNoValue) continue;
      const std::vector<int>& users = used_by[static_cast<size_t>(id)];
      const bool leaves =
          graph.is_output(id) ||
          std::any_of(users.begin(), users.end(), [&](int user) { return !inside.contains(user); });
      if (leaves) part.outputs.push_back(map_value(id));
    }
  }
  return part;
}

}  // namespace dlaexec::ir
