// What reductions and normalizations along one axis are launched with; read by the host and by the
// device code.
#pragma once

namespace dlaexec::gpu {

/// x and y are [outer][length][inner]; strides in elements. Reductions write [outer][inner].
struct RowsParams {
  const void* x;
  const float* gain;   ///< layer and rms norm: [length]
  const float* shift;  ///< layer norm: [length], or null
  void* y;
  int outer, length, inner;
  long long x_outer, x_step, y_outer, y_step;
  float epsilon;
  float x_scale, y_inverse;
};

}  // namespace dlaexec::gpu
