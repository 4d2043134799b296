// How long a board's GPU takes for a step, by a roofline: what its arithmetic and its memory allow.
// For boards that are not here; a GPU that is here is measured.
#pragma once

#include "dla/platform.h"
#include "ir/type.h"

namespace dlaexec::dla {

/// The mean error of roofline times of whole networks on the boards of tests/run/predict_test.cpp,
/// rounded up, as a part of the time.
inline constexpr double kRooflineError = 0.2;

/// What a step asks of the GPU.
struct GpuWork {
  double macs = 0;   ///< multiply-accumulates
  double bytes = 0;  ///< read and written
  ir::DataType type = ir::DataType::Float32;
  bool launches = true;  ///< false: it is part of another step's kernel
};

/// Seconds for @p work on the GPU of @p platform in power mode @p mode, whose DRAM moves
/// @p dram_bytes_per_second. A platform without figures for its GPU gives 0.
double gpu_seconds(const GpuWork& work, const Platform& platform, const PowerMode& mode,
                   double dram_bytes_per_second);

}  // namespace dlaexec::dla
