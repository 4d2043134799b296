// What resize.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kResizeRank = 5;
inline constexpr int kResizedAxes = 3;

/// A walk over the result's dims, outermost in memory first, unused ones 1 and first. Along up to
/// three of them taps[k] positions of the input make one of the result: those at tables[k] +
/// position * taps[k] of indices and weights. Unused ones of the three have one tap everywhere.
struct ResizeParams {
  const void* x;
  void* y;
  const int* indices;
  const float* weights;
  long long count;
  int dims[kResizeRank];   ///< of the result, padding of pixels included
  int valid[kResizeRank];  ///< of them; what lies past it only pads a pixel and is zero
  int axes[kResizedAxes];  ///< which of dims; -1: none
  int taps[kResizedAxes];
  int tables[kResizedAxes];
  long long steps[kResizedAxes];     ///< elements of the input from position to position
  long long x_strides[kResizeRank];  ///< 0 where the axis is resized
  long long y_strides[kResizeRank];
  float x_scale, y_inverse;
};

}  // namespace dlaexec::gpu
