#include "run/gpu_roofline.h"

#include <algorithm>

#include "base/error.h"

namespace dlaexec::run {
namespace {

// Round figures near published rates of ResNet-50 on the GPUs of AGX Xavier, Xavier NX and AGX
// Orin; tests/run/predict_test.cpp has the rows, which are off by +6, -6 and +37 %.
constexpr double kComputeShare = 0.6;  ///< of the peak rate that a well shaped layer reaches
constexpr double kMemoryShare = 0.7;   ///< of the DRAM bandwidth
constexpr double kLaunchSeconds = 10e-6;

double elements(const ir::Graph& graph, ir::ValueId id) {
  return static_cast<double>(ir::volume(ir::dims_of(graph.value(id).shape)));
}

/// Multiply-accumulates of the ops that have them; the others are bound by memory.
double macs(const ir::Graph& graph, const ir::Node& node) {
  const auto weights = [&] { return ir::dims_of(graph.value(node.inputs[1]).shape); };
  switch (node.op) {
    case ir::Op::Conv: {
      const ir::Dims kernel = weights();
      return elements(graph, node.outputs[0]) * static_cast<double>(ir::volume(kernel) / kernel[0]);
    }
    case ir::Op::Deconv: {  // every input element meets every tap of its kernels
      const ir::Dims kernel = weights();
      return elements(graph, node.inputs[0]) * static_cast<double>(ir::volume(kernel) / kernel[0]);
    }
    case ir::Op::MatMul:
    case ir::Op::Gemm: {
      const ir::Dims left = ir::dims_of(graph.value(node.inputs[0]).shape);
      const bool transposed = node.op == ir::Op::Gemm && node.get<ir::GemmAttributes>().transpose_a;
      const int64_t depth = left.empty() ? 1 : transposed ? left.front() : left.back();
      return elements(graph, node.outputs[0]) * static_cast<double>(depth);
    }
    default:
      return 0;
  }
}

double bytes(const ir::Graph& graph, const ir::Node& node) {
  double sum = 0;
  for (const auto* ids : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *ids)
      if (id >= 0)
        sum += elements(graph, id) * static_cast<double>(ir::size_bytes(graph.value(id).type));
  return sum;
}

/// Multiply-accumulates a second, dense: tensor cores for INT8 and FP16, CUDA cores for the rest.
double mac_rate(const Board& board, ir::DataType type) {
  const dla::GpuFacts& gpu = board.platform->gpu;
  const double multiprocessors = 2.0 * board.mode->gpu_tpcs;
  const double per_cycle = type == ir::DataType::Int8 ? gpu.int8_macs
                           : type == ir::DataType::Float16
                               ? gpu.int8_macs / 2.0
                               : gpu.cuda_cores / double(gpu.multiprocessors);
  return multiprocessors * per_cycle * board.mode->gpu_mhz * 1e6;
}

}  // namespace

double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const Board& board) {
  const ir::DataType type =
      node.inputs.empty() ? ir::DataType::Float32 : graph.value(node.inputs[0]).type;
  const double computing = macs(graph, node) / (kComputeShare * mac_rate(board, type));
  const double moving = bytes(graph, node) / (kMemoryShare * board.clock.dram_bytes_per_second);
  return std::max(computing, moving) + kLaunchSeconds;
}

}  // namespace dlaexec::run
