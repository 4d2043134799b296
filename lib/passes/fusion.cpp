#include "passes/fusion.h"

#include "passes/epilogue.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {

Fusion::Fusion(ir::Graph& graph)
    : graph_(graph), made_by_(ir::producers(graph)), uses_(count_uses(graph)) {}

int Fusion::sole_producer(int consumer, ir::ValueId input) const {
  if (input == ir::kNoValue || uses_[static_cast<size_t>(input)] != 1) return -1;
  const int producer = made_by_[static_cast<size_t>(input)];
  if (producer < 0) return -1;
  const ir::Node& node = graph_.nodes[static_cast<size_t>(producer)];
  if (node.outputs.size() != 1 || !run_together(node, graph_.nodes[static_cast<size_t>(consumer)]))
    return -1;
  return producer;
}

ir::Node& Fusion::merge(int producer, int consumer) {
  ir::Node& place = graph_.nodes[static_cast<size_t>(consumer)];
  ir::Node fused = std::move(graph_.nodes[static_cast<size_t>(producer)]);
  add_origins(fused, place);
  fused.name += " + " + place.name;
  fused.outputs = place.outputs;
  gone_.push_back(producer);
  place = std::move(fused);
  return place;
}

bool Fusion::finish() {
  erase_nodes(graph_, gone_);
  return !gone_.empty();
}

}  // namespace dlaexec::passes
