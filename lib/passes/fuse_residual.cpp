#include "passes/epilogue.h"
#include "passes/fusion.h"
#include "passes/passes.h"

namespace dlaexec::passes {
namespace {

/// The input of the sum at @p index whose producer can add the other one itself; of two, the one
/// made last, so that what it adds is there already. -1 if there is none.
int product_side(const ir::Graph& graph, const Fusion& fusion, int index) {
  const ir::Node& sum = graph.nodes[static_cast<size_t>(index)];
  const ir::Shape& shape = graph.value(sum.outputs[0]).shape;
  int chosen = -1, made_at = -1;
  for (const int side : {0, 1}) {
    const ir::Value& other = graph.value(sum.inputs[static_cast<size_t>(1 - side)]);
    const int producer = fusion.sole_producer(index, sum.inputs[static_cast<size_t>(side)]);
    if (producer <= made_at || other.constant || other.shape != shape) continue;
    const ir::Node& product = graph.nodes[static_cast<size_t>(producer)];
    if (!has_open_epilogue(product) || graph.value(product.outputs[0]).shape != shape) continue;
    chosen = side;
    made_at = producer;
  }
  return chosen;
}

}  // namespace

bool fuse_residual(ir::Graph& graph) {
  Fusion fusion(graph);
  for (int i = 0; i < std::ssize(graph.nodes); ++i) {
    const ir::Node& sum = graph.nodes[static_cast<size_t>(i)];
    if (sum.op != ir::Op::Elementwise) continue;
    const auto attributes = sum.get<ir::ElementwiseAttributes>();
    if (attributes.kind != ir::ElementwiseKind::Sum) continue;
    const int side = product_side(graph, fusion, i);
    if (side < 0) continue;
    const ir::ValueId residual = sum.inputs[static_cast<size_t>(1 - side)];
    const int producer = fusion.sole_producer(i, sum.inputs[static_cast<size_t>(side)]);
    ir::Node& fused = fusion.merge(producer, i);
    fused.inputs.resize(3, ir::kNoValue);  // an absent bias keeps its place
    fused.inputs.push_back(residual);
    with_epilogue(fused, [&](auto& epilogue) {
      epilogue.residual = true;
      epilogue.activation = attributes.activation;
      epilogue.alpha = attributes.alpha;
      epilogue.beta = attributes.beta;
    });
  }
  return fusion.finish();
}

}  // namespace dlaexec::passes
