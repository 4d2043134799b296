#include "run/host_part.h"

#include <algorithm>

#include "ir/infer.h"

namespace dlaexec::run {
namespace {

std::vector<ir::ValueId> in_whole(const ir::Graph& whole, const ir::Graph& part,
                                  const std::vector<ir::ValueId>& ids) {
  std::vector<ir::ValueId> found;
  for (const ir::ValueId id : ids) found.push_back(whole.find_value(part.value(id).name).value());
  return found;
}

/// The part with the shapes that follow from @p input_dims.
ir::Graph for_dims(const ir::Graph& part, const std::vector<ir::Dims>& input_dims) {
  ir::Graph graph = part;
  bool changed = false;
  for (size_t i = 0; i < input_dims.size(); ++i) {
    ir::Shape& shape = graph.value(graph.inputs[i]).shape;
    const ir::Shape wanted = ir::shape_of(input_dims[i]);
    changed |= shape != wanted;
    shape = wanted;
  }
  if (changed) ir::infer_shapes(graph);
  return graph;
}

}  // namespace

HostPart::HostPart(const ir::Graph& graph, std::vector<int> nodes, ThreadPool& threads)
    : part_(ir::extract(graph, nodes, graph.name)), nodes_(std::move(nodes)), threads_(threads) {
  inputs_ = in_whole(graph, part_, part_.inputs);
  outputs_ = in_whole(graph, part_, part_.outputs);
  for (size_t i = 0; i < part_.nodes.size(); ++i) index_of_name_[part_.nodes[i].name] = i;
}

bool HostPart::is_static() const {
  return std::all_of(part_.inputs.begin(), part_.inputs.end(),
                     [&](ir::ValueId id) { return ir::is_static(part_.value(id).shape); });
}

std::vector<ir::Dims> HostPart::static_dims() const {
  std::vector<ir::Dims> dims;
  for (const ir::ValueId id : part_.inputs) dims.push_back(ir::dims_of(part_.value(id).shape));
  return dims;
}

cpu::Program HostPart::program(const std::vector<ir::Dims>& input_dims) {
  const std::lock_guard lock(mutex_);
  return programs_.get(input_dims,
                       [&] { return cpu::Program(for_dims(part_, input_dims), threads_); });
}

std::vector<size_t> HostPart::owners(const cpu::Program& program) const {
  std::vector<size_t> result;
  size_t last = 0;  // a change of layout belongs to the node that it is named after, or comes after
  for (const cpu::StepInfo& step : program.steps()) {
    const auto at = index_of_name_.find(step.name);
    if (at != index_of_name_.end()) last = at->second;
    result.push_back(last);
  }
  return result;
}

}  // namespace dlaexec::run
