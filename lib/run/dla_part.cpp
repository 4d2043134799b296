#include "run/dla_part.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace dlaexec::run {
namespace {

ir::Dims dims_of(const dla::Nchw& dims) { return {dims.n, dims.c, dims.h, dims.w}; }

/// The cubes at the loadable's edge are the step's values, seen as four dimensions.
void require_fit(const ir::Graph& graph, const ir::Node& node, const std::vector<ir::ValueId>& ids,
                 const dla::Loadable& loadable, const std::vector<dla::CubeId>& cubes) {
  bool fits = ids.size() == cubes.size();
  for (size_t i = 0; fits && i < ids.size(); ++i) {
    const ir::Value& value = graph.value(ids[i]);
    const dla::Cube& cube = loadable.cube(cubes[i]);
    fits = ir::is_static(value.shape) && value.type == cube.type &&
           dla::nchw_of(ir::dims_of(value.shape)) == cube.dims;
  }
  if (!fits)
    fail("the plan is damaged: the loadable of step '{}' does not fit its tensors; build it again",
         node.name);
}

bool same_elements(const ir::Tensor& a, const ir::Tensor& b) {
  return a.size_bytes() == b.size_bytes() &&
         (a.bytes().data() == b.bytes().data() ||
          std::memcmp(a.bytes().data(), b.bytes().data(), a.size_bytes()) == 0);
}

ir::Tensor real_numbers(const dla::Cube& cube, const ir::Tensor& stored) {
  ir::Tensor real = stored.converted(ir::DataType::Float32).clone();
  if (cube.type == ir::DataType::Int8)
    for (float& element : real.mutable_as<float>()) element *= cube.scale;
  return real;
}

}  // namespace

DlaPart::DlaPart(const ir::Graph& graph, int node, const plan::Loadable& loadable) : node_(node) {
  const ir::Node& step = graph.nodes[static_cast<size_t>(node)];
  inputs_ = step.inputs;
  outputs_ = step.outputs;
  loadable_ = in_context([&] { return format("reading the loadable of step '{}'", step.name); },
                         [&] { return dla::deserialize(loadable.bytes, loadable.owner); });
  require_fit(graph, step, inputs_, loadable_, loadable_.inputs);
  require_fit(graph, step, outputs_, loadable_, loadable_.outputs);
  for (const ir::ValueId id : outputs_) output_dims_.push_back(ir::dims_of(graph.value(id).shape));
}

DlaRun::DlaRun(const DlaPart& part, ThreadPool& threads, const EngineOptions& options)
    : part_(part), threads_(threads), options_(options) {
  if (options.dla_outputs != DlaOutputs::None) return;
  for (size_t i = 0; i < part.outputs().size(); ++i)
    outputs_.push_back(ir::Tensor::zeros(part.loadable().cube(part.loadable().outputs[i]).type,
                                         part.output_dims(i)));
}

const std::vector<ir::Tensor>& DlaRun::run(const std::vector<ir::Tensor>& inputs) {
  const DlaOutputs mode = options_.dla_outputs;
  const bool replays = mode == DlaOutputs::Replay && seen_.size() == inputs.size() &&
                       std::equal(inputs.begin(), inputs.end(), seen_.begin(), same_elements);
  if (mode != DlaOutputs::None && !replays) emulate(inputs);
  return outputs_;
}

void DlaRun::emulate(const std::vector<ir::Tensor>& inputs) {
  if (!core_)
    core_ = std::make_unique<dla::core::Core>(part_.loadable(), threads_, dla::core::best_isa(),
                                              options_.dla_half_sum);
  std::vector<ir::Tensor> dense;
  for (size_t i = 0; i < inputs.size(); ++i)
    dense.push_back(
        inputs[i].reshaped(dims_of(part_.loadable().cube(part_.loadable().inputs[i]).dims)));
  dla::core::Tap tap;
  if (options_.on_dla_tensor)
    tap = [&](const dla::Cube& cube, const ir::Tensor& stored) {
      options_.on_dla_tensor(cube.name, real_numbers(cube, stored));
    };
  std::vector<ir::Tensor> made = core_->run(dense, tap);
  outputs_.clear();
  for (size_t i = 0; i < made.size(); ++i)
    outputs_.push_back(made[i].reshaped(part_.output_dims(i)));
  seen_.clear();
  if (options_.dla_outputs != DlaOutputs::Replay) return;
  // The caller may use its memory again: what is compared later must be ours.
  for (const ir::Tensor& input : inputs) seen_.push_back(input.clone());
}

}  // namespace dlaexec::run
