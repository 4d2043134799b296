// Resizing of every mode: each element of the result is a weighted sum of elements of the input.
//   In, Out   half, float, signed char
// Grid: ceil(count / 256) blocks of 256.
#include "resize_params.h"
#include "types.cuh"

using dlaexec::gpu::kResizedAxes;
using dlaexec::gpu::kResizeRank;
using dlaexec::gpu::ResizeParams;

template <class In, class Out>
__global__ void __launch_bounds__(256) resize(const __grid_constant__ ResizeParams p) {
  release_next();
  wait_for_inputs();
  long long rest = blockIdx.x * 256ll + threadIdx.x;
  if (rest >= p.count) return;
  int at[kResizedAxes] = {p.tables[0], p.tables[1], p.tables[2]};
  long long first = 0, y = 0;
  bool is_valid = true;
#pragma unroll
  for (int d = kResizeRank - 1; d >= 0; --d) {
    const int position = static_cast<int>(rest % p.dims[d]);
    rest /= p.dims[d];
    first += position * p.x_strides[d];
    y += position * p.y_strides[d];
    is_valid &= position < p.valid[d];
#pragma unroll
    for (int k = 0; k < kResizedAxes; ++k)
      if (d == p.axes[k]) at[k] += position * p.taps[k];
  }
  float sum = 0;
  const In* x = static_cast<const In*>(p.x) + first;
  if (is_valid)
    for (int i = at[0]; i < at[0] + p.taps[0]; ++i)
      for (int j = at[1]; j < at[1] + p.taps[1]; ++j) {
        const float outer = p.weights[i] * p.weights[j];
        const In* row = x + p.indices[i] * p.steps[0] + p.indices[j] * p.steps[1];
        for (int k = at[2]; k < at[2] + p.taps[2]; ++k)
          sum += outer * p.weights[k] * real(row[p.indices[k] * p.steps[2]], p.x_scale);
      }
  static_cast<Out*>(p.y)[y] = stored<Out>(sum, p.y_inverse);
}
