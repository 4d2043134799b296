// Function tables. They work in FP16, also where the tensors around them are Int8: the SDP converts
// on the way in and out, so the conversions that the graph has there are no operations.
#include <algorithm>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

bool is_table(const ir::Node& node) {
  if (node.op != ir::Op::Activation) return false;
  const ir::ActivationKind kind = node.get<ir::ActivationAttributes>().kind;
  return kind == ir::ActivationKind::Sigmoid || kind == ir::ActivationKind::Tanh;
}

/// The one node that uses @p value, once; null when there are several or the value leaves the
/// graph.
const ir::Node* only_user(const ir::Graph& graph, ir::ValueId value) {
  if (graph.is_output(value)) return nullptr;
  const ir::Node* user = nullptr;
  for (const ir::Node& node : graph.nodes) {
    const auto uses = std::ranges::count(node.inputs, value);
    if (uses == 0) continue;
    if (uses > 1 || user != nullptr) return nullptr;
    user = &node;
  }
  return user;
}

bool converts(const ir::Graph& graph, const ir::Node& node, ir::DataType from, ir::DataType to) {
  return node.op == ir::Op::Reformat && graph.value(node.inputs[0]).type == from &&
         graph.value(node.outputs[0]).type == to;
}

/// Whether @p product multiplies @p factor by what lies in @p cube, and does nothing else.
bool multiplies(Builder& builder, const ir::Node& product, ir::ValueId factor, CubeId cube) {
  if (product.op != ir::Op::Elementwise) return false;
  const auto& attributes = product.get<ir::ElementwiseAttributes>();
  if (attributes.kind != ir::ElementwiseKind::Prod ||
      attributes.activation != ir::ActivationKind::None || product.inputs.size() != 2)
    return false;
  const ir::ValueId other = product.inputs[product.inputs[0] == factor ? 1 : 0];
  return builder.is_bound(other) && builder.cube_of(other) == cube;
}

}  // namespace

bool is_read_by_table(const ir::Graph& graph, const ir::Node& reformat) {
  if (!converts(graph, reformat, ir::DataType::Int8, ir::DataType::Float16)) return false;
  const ir::Node* user = only_user(graph, reformat.outputs[0]);
  return user != nullptr && is_table(*user);
}

void lower_table(Builder& builder, const ir::Node& node) {
  const ir::Graph& graph = builder.graph();
  const CubeId input = builder.cube_of(node.inputs[0]);
  SdpParameters sdp;
  sdp.lut = activation_table(builder, node.get<ir::ActivationAttributes>().kind);
  ir::ValueId result = node.outputs[0];
  const ir::Node* next = only_user(graph, result);
  if (next && converts(graph, *next, ir::DataType::Float16, ir::DataType::Int8)) {
    builder.absorb(*next);
    result = next->outputs[0];
    next = only_user(graph, result);
  }
  std::vector<std::string> origins = node.origins;
  if (next && builder.generation() == Generation::Orin &&
      multiplies(builder, *next, result, input)) {
    builder.absorb(*next);
    sdp.gated = true;
    origins.insert(origins.end(), next->origins.begin(), next->origins.end());
    result = next->outputs[0];
  }
  const CubeId output = builder.cube_of(result);
  sdp.input = scale_in(builder.cube(input));
  sdp.output = scale_out(builder.cube(output));
  builder.add(node, ir::DataType::Float16, input, output, std::move(sdp)).origins =
      std::move(origins);
}

}  // namespace dlaexec::dla
