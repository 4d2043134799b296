// Where a tensor's elements are not zero.
//   In   element type
// Two launches: each block counts its elements, then knows from the blocks before it where to
// write. Grid: p.blocks blocks of 256.
#include "nonzero_params.h"
#include "types.cuh"

using dlaexec::gpu::NonZeroParams;

__device__ __forceinline__ bool is_set(half x) { return (x.bits & 0x7fff) != 0; }
template <class T>
__device__ __forceinline__ bool is_set(T x) {
  return x != 0;
}

/// A thread's elements.
struct Range {
  long long first, end;
};

__device__ __forceinline__ Range range_of(const NonZeroParams& p) {
  const long long first = (blockIdx.x * 256ll + threadIdx.x) * p.items;
  return {first, min(first + p.items, p.elements)};
}

template <class In>
__device__ __forceinline__ int count_of(const NonZeroParams& p, Range range) {
  int count = 0;
  for (long long i = range.first; i < range.end; ++i)
    count += is_set(static_cast<const In*>(p.x)[i]);
  return count;
}

template <class In>
__global__ void __launch_bounds__(256) count_set(const __grid_constant__ NonZeroParams p) {
  release_next();
  wait_for_inputs();
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  atomicAdd(&total, count_of<In>(p, range_of(p)));
  __syncthreads();
  if (threadIdx.x == 0) p.counts[blockIdx.x] = total;
}

template <class In>
__global__ void __launch_bounds__(256) list_set(const __grid_constant__ NonZeroParams p) {
  release_next();
  wait_for_inputs();
  __shared__ int sums[256];
  __shared__ int before, total;
  const int t = threadIdx.x;
  if (t == 0) before = total = 0;
  const Range range = range_of(p);
  const int mine = count_of<In>(p, range);
  sums[t] = mine;
  __syncthreads();
  for (int distance = 1; distance < 256; distance *= 2) {
    const int other = t >= distance ? sums[t - distance] : 0;
    __syncthreads();
    sums[t] += other;
    __syncthreads();
  }
  int earlier = 0, all = 0;
  for (int i = t; i < p.blocks; i += 256) {
    all += p.counts[i];
    earlier += i < static_cast<int>(blockIdx.x) ? p.counts[i] : 0;
  }
  atomicAdd(&before, earlier);
  atomicAdd(&total, all);
  __syncthreads();
  long long at = before + sums[t] - mine;
  for (long long i = range.first; i < range.end; ++i) {
    if (!is_set(static_cast<const In*>(p.x)[i])) continue;
    long long rest = i;
    for (int d = p.rank - 1; d >= 0; --d) {
      p.out[d * static_cast<long long>(total) + at] = rest % p.dims[d];
      rest /= p.dims[d];
    }
    ++at;
  }
  if (blockIdx.x == 0 && t == 0) *p.count = total;
}
