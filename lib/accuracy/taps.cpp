#include "accuracy/taps.h"

namespace dlaexec::accuracy {
namespace {

ir::Graph with_all_outputs(ir::Graph graph) {
  graph.outputs.clear();
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.outputs)
      if (id != ir::kNoValue && ir::is_float(graph.value(id).type)) graph.outputs.push_back(id);
  return graph;
}

}  // namespace

Taps::Taps(const ir::Graph& graph, ThreadPool& pool) : program_(with_all_outputs(graph), pool) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!ir::is_float(graph.value(graph.inputs[i]).type)) continue;
    tapped_inputs_.push_back(i);
    names_.push_back(graph.value(graph.inputs[i]).name);
  }
  const ir::Graph tapped = with_all_outputs(graph);
  for (const ir::ValueId id : tapped.outputs) names_.push_back(tapped.value(id).name);
}

std::vector<ir::Tensor> Taps::run(const std::vector<ir::Tensor>& inputs) {
  std::vector<ir::Tensor> tensors;
  for (const size_t index : tapped_inputs_) tensors.push_back(inputs[index]);
  for (ir::Tensor& output : program_.run(inputs)) tensors.push_back(std::move(output));
  return tensors;
}

}  // namespace dlaexec::accuracy
