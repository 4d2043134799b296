#include "place/gpu_roofline.h"

#include "ir/macs.h"

namespace dlaexec::place {
namespace {

using namespace ir;

double elements(const Value& value) {
  return is_static(value.shape) ? static_cast<double>(volume(dims_of(value.shape))) : 0;
}

double element_bytes(const Node& node) {
  return static_cast<double>(size_bytes(node.precision.value_or(DataType::Float32)));
}

/// Bytes in and out. What fusion takes into the layer before it moves only its second operand.
double bytes_moved(const Graph& graph, const Node& node) {
  double count = 0;
  const bool joins_before = node.op == Op::Activation || node.op == Op::Scale ||
                            node.op == Op::BatchNorm || node.op == Op::PRelu;
  if (joins_before) return 0;
  for (const ValueId id : node.inputs)
    if (id != kNoValue) count += elements(graph.value(id));
  for (const ValueId id : node.outputs)
    if (id != kNoValue) count += elements(graph.value(id));
  if (node.op == Op::Elementwise) count /= 3;
  return count * element_bytes(node);
}

bool is_launched(const Node& node) {
  return node.op != Op::Activation && node.op != Op::Scale && node.op != Op::BatchNorm &&
         node.op != Op::Elementwise && node.op != Op::PRelu;
}

}  // namespace

double gpu_seconds(const Graph& graph, const Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode) {
  return dla::gpu_seconds({macs_of(graph, node), bytes_moved(graph, node),
                           node.precision.value_or(DataType::Float32), is_launched(node)},
                          platform, mode, platform.memory_bytes_per_second(mode));
}

}  // namespace dlaexec::place
