// The SDP behind a convolution, made ready to take 16 kernels at a time: constants spread over the
// channels, and what cannot happen left out. Nothing here depends on the instruction set.
#pragma once

#include <vector>

#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// Kernels that are computed and delivered side by side.
inline constexpr int64_t kKernelBlock = 16;

/// Whether the tensor lies in whole surfaces in which pixel follows pixel: what vectorized code
/// reads and writes 16 channels at a time.
bool is_dense_feature(const Cube& cube);

/// One stage: ALU, multiplier, ReLU. Constants have a number per channel, and 16 beyond so that
/// whole vectors can be read.
struct ProgramStage {
  SdpAlu alu = SdpAlu::None;
  CubeId cube = kNoCube;  ///< the ALU's operand when it is a tensor
  double cube_offset = 0, cube_factor = 1, cube_left = 1;
  SdpMul mul = SdpMul::None;
  bool is_relu = false;
  bool saturates = true;                      ///< in integers: the result may pass 32 bits
  std::vector<double> alu_wide, mul_wide;     ///< in integers; factors hold their shift
  std::vector<float> alu_single, mul_single;  ///< in FP32
};

struct SdpProgram {
  /// No sum that the convolution delivers is larger in magnitude than @p largest_sum.
  SdpProgram(const Loadable& loadable, const Operation& operation, const SdpParameters& sdp,
             double largest_sum);

  bool is_integer = false;
  /// False for what only the scalar SDP does: tables, operands that are repeated, FP32 to INT8.
  bool is_usable = true;
  std::vector<ProgramStage> stages;
  double out_offset = 0, out_factor = 1;
  bool output_saturates = true;  ///< in integers: the output may pass 32 bits before 8

 private:
  void bound_integers(double largest_sum);
};

}  // namespace dlaexec::dla::core
