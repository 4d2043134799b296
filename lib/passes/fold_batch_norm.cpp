#include <cmath>
#include <optional>

#include "passes/channel_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {
namespace {

/// What a BatchNorm with constant parameters does to each channel.
std::optional<ChannelAffine> affine_of(const ir::Graph& graph, const ir::Node& node) {
  std::vector<float> parameters[4];  // scale, bias, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    const ir::Tensor* constant = graph.constant(node, i + 1);
    if (!constant) return std::nullopt;
    parameters[i] = constant->to_floats();
  }
  const auto& [scale, bias, mean, variance] = parameters;
  const double epsilon = node.get<ir::BatchNormAttributes>().epsilon;
  ChannelAffine affine;
  for (size_t c = 0; c < scale.size(); ++c) {
    affine.factor.push_back(scale[c] / std::sqrt(variance[c] + epsilon));
    affine.offset.push_back(bias[c] - mean[c] * affine.factor.back());
  }
  return affine;
}

ir::Tensor floats(const std::vector<double>& elements) {
  return ir::Tensor::of({std::ssize(elements)},
                        std::vector<float>(elements.begin(), elements.end()));
}

/// x * factor + offset in the place of the BatchNorm.
void make_scale(ir::Graph& graph, ir::Node& node, const ChannelAffine& affine) {
  const ir::DataType type = graph.value(node.inputs[1]).type;
  const ir::ValueId x = node.inputs[0];
  node.inputs = {x, graph.add_constant(node.name + ".scale", floats(affine.factor).converted(type)),
                 graph.add_constant(node.name + ".shift", floats(affine.offset).converted(type))};
  node.op = ir::Op::Scale;
  node.attributes = ir::default_attributes(ir::Op::Scale);
  node.outputs.resize(1);
}

}  // namespace

bool fold_batch_norm(ir::Graph& graph) {
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<int> uses = count_uses(graph);
  std::vector<int> folded;
  bool changed = false;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    ir::Node& node = graph.nodes[i];
    const auto affine = node.op == ir::Op::BatchNorm ? affine_of(graph, node) : std::nullopt;
    if (!affine) continue;
    changed = true;
    const ir::ValueId x = node.inputs[0];
    const int before = made_by[static_cast<size_t>(x)];
    ir::Node* producer = before < 0 ? nullptr : &graph.nodes[static_cast<size_t>(before)];
    if (!producer || uses[static_cast<size_t>(x)] != 1 ||
        !can_absorb(graph, *producer, affine->factor.size())) {
      make_scale(graph, node, *affine);
      continue;
    }
    absorb(graph, *producer, *affine);
    producer->outputs[0] = node.outputs[0];
    add_origins(*producer, node);
    folded.push_back(static_cast<int>(i));
  }
  erase_nodes(graph, folded);
  return changed;
}

}  // namespace dlaexec::passes
