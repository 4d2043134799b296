#include <optional>

#include "passes/epilogue.h"
#include "passes/fusion.h"
#include "passes/passes.h"

namespace dlaexec::passes {
namespace {

bool is_sum(const ir::Node& node) {
  return node.op == ir::Op::Elementwise &&
         node.get<ir::ElementwiseAttributes>().kind == ir::ElementwiseKind::Sum &&
         node.get<ir::ElementwiseAttributes>().activation == ir::ActivationKind::None;
}

/// The dimension of the output that a bias of @p node belongs to, counted from the end.
size_t bias_axis_from_end(const ir::Node& node, size_t rank) {
  const bool spatial = node.op == ir::Op::Conv || node.op == ir::Op::Deconv;
  return spatial ? rank - 2 : 0;
}

/// @p added as one element per channel, if adding it does not depend on any other dimension.
std::optional<ir::Tensor> as_bias(const ir::Tensor& added, const ir::Shape& shape,
                                  size_t axis_from_end) {
  const ir::Dim& channels = shape[shape.size() - 1 - axis_from_end];
  if (!channels.is_known() || added.dims().size() > shape.size()) return std::nullopt;
  const size_t rank = added.dims().size();
  for (size_t i = 0; i < rank; ++i)
    if (rank - 1 - i != axis_from_end && added.dims()[i] != 1) return std::nullopt;
  if (added.count() == channels.value) return added.reshaped({channels.value});
  if (added.count() != 1) return std::nullopt;
  return ir::Tensor::of({channels.value}, std::vector<float>(static_cast<size_t>(channels.value),
                                                             added.to_floats()[0]));
}

bool fuse_at(ir::Graph& graph, Fusion& fusion, int index) {
  const ir::Node& sum = graph.nodes[static_cast<size_t>(index)];
  for (const size_t side : {0, 1}) {
    const ir::Tensor* added = graph.constant(sum, 1 - side);
    const int producer = added ? fusion.sole_producer(index, sum.inputs[side]) : -1;
    if (producer < 0) continue;
    const ir::Node& product = graph.nodes[static_cast<size_t>(producer)];
    const ir::Shape& shape = graph.value(sum.outputs[0]).shape;
    if (!has_open_epilogue(product) || ir::Graph::input(product, 2) != ir::kNoValue ||
        shape != graph.value(product.outputs[0]).shape || shape.empty())
      continue;
    const auto bias = as_bias(*added, shape, bias_axis_from_end(product, shape.size()));
    if (!bias) continue;
    const ir::ValueId id = graph.add_constant(graph.value(sum.inputs[1 - side]).name, *bias);
    ir::Node& fused = fusion.merge(producer, index);
    fused.inputs.resize(3, ir::kNoValue);
    fused.inputs[2] = id;
    return true;
  }
  return false;
}

}  // namespace

bool fuse_bias(ir::Graph& graph) {
  Fusion fusion(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (is_sum(graph.nodes[i])) fuse_at(graph, fusion, static_cast<int>(i));
  return fusion.finish();
}

}  // namespace dlaexec::passes
