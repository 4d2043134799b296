#include "passes/epilogue.h"
#include "passes/fusion.h"
#include "passes/passes.h"

namespace dlaexec::passes {
namespace {

/// The DLA's SDP ends in a ReLU, a clip or a slope for negatives; its table for sigmoid and tanh is
/// a step of its own, in FP16 even when the layer before computes in INT8.
bool fits_epilogue(ir::ActivationKind kind, std::optional<ir::Device> device) {
  if (device != ir::Device::Dla) return true;
  return kind == ir::ActivationKind::Relu || kind == ir::ActivationKind::Clip ||
         kind == ir::ActivationKind::LeakyRelu;
}

bool is_arithmetic(ir::ElementwiseKind kind) { return kind <= ir::ElementwiseKind::Fmod; }

bool takes_activation(const ir::Node& node) {
  bool open = false;
  if (node.op == ir::Op::Elementwise) {
    const auto& attributes = node.get<ir::ElementwiseAttributes>();
    return attributes.activation == ir::ActivationKind::None && is_arithmetic(attributes.kind);
  }
  with_epilogue(node, [&](const auto& attributes) {
    open = attributes.activation == ir::ActivationKind::None;
  });
  return open;
}

template <class Attributes>
void set_activation(Attributes& to, const ir::ActivationAttributes& from) {
  to.activation = from.kind;
  to.alpha = from.alpha;
  to.beta = from.beta;
}

}  // namespace

bool fuse_activation(ir::Graph& graph) {
  Fusion fusion(graph);
  for (int i = 0; i < std::ssize(graph.nodes); ++i) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(i)];
    if (node.op != ir::Op::Activation) continue;
    const auto activation = node.get<ir::ActivationAttributes>();
    const int producer = fusion.sole_producer(i, node.inputs[0]);
    if (producer < 0 || !fits_epilogue(activation.kind, node.device) ||
        !takes_activation(graph.nodes[static_cast<size_t>(producer)]))
      continue;
    ir::Node& fused = fusion.merge(producer, i);
    if (fused.op == ir::Op::Elementwise)
      set_activation(fused.get<ir::ElementwiseAttributes>(), activation);
    else
      with_epilogue(fused, [&](auto& epilogue) { set_activation(epilogue, activation); });
  }
  return fusion.finish();
}

}  // namespace dlaexec::passes
