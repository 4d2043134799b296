#include "gpu/kernels/reduction.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// Reads and writes types that kernels compute with, int8 at one scale.
bool changes_type(const ir::Graph& graph, const ir::Node* node) {
  if (!node || node->op != Op::Reformat) return false;
  for (const ir::ValueId id : {node->inputs[0], node->outputs[0]}) {
    const ir::Value& value = graph.value(id);
    if (!is_device_type(value.type)) return false;
    if (value.type == DataType::Int8 && value.quantization.scales.size() != 1) return false;
  }
  return true;
}

bool changes_shape(const ir::Graph& graph, const ir::Node* node) {
  if (!node) return false;
  const bool moves_nothing = node->op == Op::Flatten || node->op == Op::Reshape ||
                             node->op == Op::Squeeze || node->op == Op::Unsqueeze;
  const ir::Dims x = ir::dims_of(graph.value(node->inputs[0]).shape),
                 y = ir::dims_of(graph.value(node->outputs[0]).shape);
  return moves_nothing && y.size() == 2 && y[0] == x[0] && y[1] == x[1];
}

}  // namespace

std::vector<const ir::Node*> Reduction::nodes() const {
  std::vector<const ir::Node*> all;
  if (before) all.push_back(before);
  all.push_back(reduce);
  all.insert(all.end(), shapes.begin(), shapes.end());
  if (after) all.push_back(after);
  return all;
}

std::optional<Reduction> reduction_of(const Links& links, const ir::Node& reduce) {
  const ir::Graph& graph = links.graph();
  constexpr int64_t kWholeVectors = 16;  // of every type
  if (reduce.op != Op::Reduce || reduce.get<ir::ReduceAttributes>().axes != ir::Ints{2, 3} ||
      graph.value(reduce.inputs[0]).shape.size() != 4 ||
      ir::dims_of(graph.value(reduce.inputs[0]).shape)[1] % kWholeVectors != 0)
    return std::nullopt;
  Reduction found;
  found.reduce = &reduce;
  const ir::Node* maker = links.maker(reduce.inputs[0]);
  if (changes_type(graph, maker) && links.only_user(reduce.inputs[0]) == &reduce)
    found.before = maker;
  const ir::Node* next = links.only_user(reduce.outputs[0]);
  for (; changes_shape(graph, next); next = links.only_user(next->outputs[0]))
    found.shapes.push_back(next);
  if (changes_type(graph, next)) found.after = next;
  return found;
}

}  // namespace dlaexec::gpu
