#include <optional>

#include "passes/channel_affine.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {
namespace {

/// What a scale with one parameter per channel (or one for all) does to each of @p channels.
std::optional<ChannelAffine> affine_of(const ir::Graph& graph, const ir::Node& node) {
  const ir::Shape& shape = graph.value(node.outputs[0]).shape;
  const ir::Tensor* scale = graph.constant(node, 1);
  const ir::Tensor* shift = graph.constant(node, 2);
  if (!scale || !shift || shape.size() < 2 || !shape[1].is_known()) return std::nullopt;
  const auto channels = static_cast<size_t>(shape[1].value);
  const auto per_channel = [&](const ir::Tensor& tensor) {
    std::vector<float> elements = tensor.to_floats();
    if (elements.size() == 1) elements.resize(channels, elements[0]);
    return std::vector<double>(elements.begin(), elements.end());
  };
  if (scale->rank() > 1 || shift->rank() > 1) return std::nullopt;
  ChannelAffine affine{per_channel(*scale), per_channel(*shift)};
  if (affine.factor.size() != channels || affine.offset.size() != channels) return std::nullopt;
  return affine;
}

}  // namespace

bool fold_scale(ir::Graph& graph) {
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<int> uses = count_uses(graph);
  std::vector<int> folded;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    if (node.op != ir::Op::Scale) continue;  // others may lack their first input
    const auto affine = affine_of(graph, node);
    const int before = made_by[static_cast<size_t>(node.inputs[0])];
    if (!affine || before < 0) continue;
    ir::Node& producer = graph.nodes[static_cast<size_t>(before)];
    if (uses[static_cast<size_t>(node.inputs[0])] != 1 ||
        !can_absorb(graph, producer, affine->factor.size()))
      continue;
    absorb(graph, producer, *affine);
    producer.outputs[0] = node.outputs[0];
    add_origins(producer, node);
    folded.push_back(static_cast<int>(i));
  }
  erase_nodes(graph, folded);
  return !folded.empty();
}

}  // namespace dlaexec::passes
