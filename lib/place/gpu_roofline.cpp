#include "place/estimate.h"

#include <algorithm>

#include "dla/gpu_roofline.h"
#include "ir/macs.h"

namespace dlaexec::place {
namespace {

using namespace ir;

// Shares of the peak that layers reach on average; from published per-layer times of Orin
// (ResNet-34: 60 to 85 % of the convolution peak, about 29 of 32 bytes a cycle).
constexpr double kDlaArithmetic = 0.7;
constexpr double kDlaBytesPerCycle = 29;
constexpr double kDlaGapSeconds = 0.72e-6;

double elements(const Value& value) {
  return is_static(value.shape) ? static_cast<double>(volume(dims_of(value.shape))) : 0;
}

bool is_int8(const Node& node) { return node.precision == DataType::Int8; }

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

bool starts_an_operation(const Node& node) {
  return node.op != Op::Activation && node.op != Op::Scale && node.op != Op::BatchNorm &&
         node.op != Op::Elementwise && node.op != Op::PRelu;
}

}  // namespace

double dla_seconds(const Graph& graph, const Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode) {
  const dla::CoreFacts& core = dla::core_facts(platform.generation);
  const double hertz = mode.dla_mhz * 1e6;
  if (hertz <= 0) return 0;
  const double rate = is_int8(node) ? core.int8.macs() : core.fp16.macs();
  const double arithmetic = macs_of(graph, node) / (rate * kDlaArithmetic * hertz);
  const double memory = bytes_moved(graph, node) / (kDlaBytesPerCycle * hertz);
  const double start = starts_an_operation(node) ? kDlaGapSeconds : 0;
  return std::max(arithmetic, memory) + start;
}

double gpu_seconds(const Graph& graph, const Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode) {
  return dla::gpu_seconds({macs_of(graph, node), bytes_moved(graph, node),
                           node.precision.value_or(DataType::Float32), starts_an_operation(node)},
                          platform, mode, platform.memory_bytes_per_second(mode));
}

}  // namespace dlaexec::place
