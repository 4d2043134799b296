#include "place/estimate.h"

#include <algorithm>

namespace dlaexec::place {
namespace {

using namespace ir;

// Shares of the peak that layers reach on average; from published per-layer times of Orin
// (ResNet-34: 60 to 85 % of the convolution peak, about 29 of 32 bytes a cycle).
constexpr double kDlaArithmetic = 0.7;
constexpr double kDlaBytesPerCycle = 29;
constexpr double kDlaGapSeconds = 0.72e-6;
constexpr double kGpuArithmetic = 0.35;
constexpr double kGpuMemory = 0.7;
constexpr double kGpuLaunchSeconds = 5e-6;

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
  const dla::GpuFacts& gpu = platform.gpu;
  const double multiprocessors = std::min(gpu.multiprocessors, 2 * mode.gpu_tpcs);
  const double int8_rate = gpu.int8_macs * multiprocessors * mode.gpu_mhz * 1e6;
  const double rate = is_int8(node) ? int8_rate : int8_rate / 2;
  if (rate <= 0) return 0;
  const double arithmetic = macs_of(graph, node) / (rate * kGpuArithmetic);
  const double memory =
      bytes_moved(graph, node) / (platform.memory_bytes_per_second(mode) * kGpuMemory);
  const double start = starts_an_operation(node) ? kGpuLaunchSeconds : 0;
  return std::max(arithmetic, memory) + start;
}

}  // namespace dlaexec::place
