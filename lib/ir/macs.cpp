#include "ir/macs.h"

namespace dlaexec::ir {
namespace {

double elements(const Value& value) {
  return is_static(value.shape) ? static_cast<double>(volume(dims_of(value.shape))) : 0;
}

}  // namespace

double macs_of(const Graph& graph, const Node& node) {
  const bool multiplies =
      node.op == Op::Conv || node.op == Op::Deconv || node.op == Op::Gemm || node.op == Op::MatMul;
  if (!multiplies || node.inputs.size() < 2) return 0;
  const Value& weights = graph.value(node.inputs[1]);
  const bool spreads = node.op == Op::Deconv;  // each input pixel meets each weight
  const Value& counted = graph.value(spreads ? node.inputs[0] : node.outputs[0]);
  if (!is_static(weights.shape) || !is_static(counted.shape)) return 0;
  const Dims dims = dims_of(weights.shape);
  const bool product = node.op == Op::Gemm || node.op == Op::MatMul;
  if (product) {
    const Dims left = dims_of(graph.value(node.inputs[0]).shape);
    const bool transposed = node.op == Op::Gemm && node.get<GemmAttributes>().transpose_a;
    const int64_t inner = left[left.size() - (transposed && left.size() > 1 ? 2 : 1)];
    return elements(counted) * static_cast<double>(inner);
  }
  return elements(counted) * static_cast<double>(volume(dims)) / static_cast<double>(dims[0]);
}

}  // namespace dlaexec::ir
