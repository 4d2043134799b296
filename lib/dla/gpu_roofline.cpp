#include "dla/gpu_roofline.h"

#include <algorithm>

namespace dlaexec::dla {
namespace {

// Round figures near published rates of ResNet-50 on the GPUs of AGX Xavier, Xavier NX and AGX
// Orin; tests/run/predict_test.cpp has the rows, which are off by +6, -6 and +37 %.
constexpr double kComputeShare = 0.6;  ///< of the peak rate that a well shaped layer reaches
constexpr double kMemoryShare = 0.7;   ///< of the DRAM bandwidth
constexpr double kLaunchSeconds = 10e-6;

/// Multiply-accumulates a second, dense: tensor cores for INT8 and FP16, CUDA cores for the rest.
double mac_rate(const GpuFacts& gpu, const PowerMode& mode, ir::DataType type) {
  const double multiprocessors = 2.0 * mode.gpu_tpcs;
  const double per_cycle = type == ir::DataType::Int8 ? gpu.int8_macs
                           : type == ir::DataType::Float16
                               ? gpu.int8_macs / 2.0
                               : gpu.cuda_cores / static_cast<double>(gpu.multiprocessors);
  return multiprocessors * per_cycle * mode.gpu_mhz * 1e6;
}

}  // namespace

double gpu_seconds(const GpuWork& work, const Platform& platform, const PowerMode& mode,
                   double dram_bytes_per_second) {
  if (platform.gpu.multiprocessors <= 0) return 0;
  const double rate = mac_rate(platform.gpu, mode, work.type);
  if (rate <= 0) return 0;
  const double computing = work.macs / (kComputeShare * rate);
  const double moving = work.bytes / (kMemoryShare * dram_bytes_per_second);
  return std::max(computing, moving) + (work.launches ? kLaunchSeconds : 0);
}

}  // namespace dlaexec::dla
