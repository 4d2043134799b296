// Pads and tiles: each element of the result shows one of the input, or the fill.
//   Word    unsigned integer of the element's size
//   kMode   what lies outside the input
// Grid: ceil(count / 256) blocks of 256.
#include "pad_params.h"
#include "types.cuh"

using dlaexec::gpu::kPadRank;
using dlaexec::gpu::PadParams;

enum PadMode { Constant, Edge, Reflect, Wrap };

/// The position that @p at shows of a dimension of @p size; -1: the fill.
template <PadMode kMode>
__device__ __forceinline__ int shown(int at, int size) {
  if (at >= 0 && at < size) return at;
  if constexpr (kMode == Constant) return -1;
  if constexpr (kMode == Edge) return at < 0 ? 0 : size - 1;
  if constexpr (kMode == Wrap) return (at % size + size) % size;
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  const int folded = (at % period + period) % period;
  return folded < size ? folded : period - folded;
}

template <class Word, PadMode kMode>
__global__ void __launch_bounds__(256) pad(const __grid_constant__ PadParams p) {
  release_next();
  wait_for_inputs();
  long long rest = blockIdx.x * 256ll + threadIdx.x;
  if (rest >= p.count) return;
  long long x = 0, y = 0;
  bool inside = true, is_valid = true;
#pragma unroll
  for (int d = kPadRank - 1; d >= 0; --d) {
    const int at = static_cast<int>(rest % p.dims[d]);
    rest /= p.dims[d];
    y += at * p.y_strides[d];
    is_valid &= at < p.valid[d];
    const int from = shown<kMode>(at - p.begin[d], p.sizes[d]);
    inside &= from >= 0;
    x += from * p.x_strides[d];
  }
  Word word{};
  if (is_valid) {
    if (inside)
      word = static_cast<const Word*>(p.x)[x];
    else if (p.fill)
      word = *static_cast<const Word*>(p.fill);
  }
  static_cast<Word*>(p.y)[y] = word;
}
