// Along one axis: the k best, the best one, running sums.
//   In      element type: half, float, or an integer type
//   Index   int or long long: the type of positions
// Rows are numbered outer * inner + position inside; element i of a row lies inner elements apart.
#include "select_params.h"
#include "types.cuh"

using dlaexec::gpu::SelectParams;

/// What elements are compared by.
__device__ __forceinline__ float key(float x) { return x; }
__device__ __forceinline__ float key(half x) { return to_float(x); }
__device__ __forceinline__ long long key(signed char x) { return x; }
__device__ __forceinline__ long long key(unsigned char x) { return x; }
__device__ __forceinline__ long long key(int x) { return x; }
__device__ __forceinline__ long long key(long long x) { return x; }

template <bool kLargest, class Key>
__device__ __forceinline__ bool better(Key a, Key b) {
  return kLargest ? a > b : a < b;
}

/// The first element of row @p row of a tensor whose axis has @p length elements.
__device__ __forceinline__ long long row_start(const SelectParams& p, long long row, int length) {
  return row / p.inner * length * p.inner + row % p.inner;
}

/// Each element counts those that come before it in order, equal ones by position, and so knows
/// its own place. Grid: rows * blocks_of_row blocks of 256.
template <class In, class Index, bool kLargest>
__global__ void __launch_bounds__(256) top_k(const __grid_constant__ SelectParams p) {
  release_next();
  wait_for_inputs();
  const long long row = blockIdx.x / p.blocks_of_row;
  const int mine = static_cast<int>(blockIdx.x % p.blocks_of_row) * 256 + threadIdx.x;
  if (mine >= p.length) return;
  const In* x = static_cast<const In*>(p.x) + row_start(p, row, p.length);
  const In element = x[mine * p.inner];
  int place = 0;
  for (int i = 0; i < p.length && place < p.kept; ++i) {
    const In other = x[i * p.inner];
    place += better<kLargest>(key(other), key(element)) ||
             (i < mine && key(other) == key(element));
  }
  if (place >= p.kept) return;
  const long long to = row_start(p, row, p.kept) + place * p.inner;
  static_cast<In*>(p.y)[to] = element;
  if (p.indices) static_cast<Index*>(p.indices)[to] = mine;
}

/// The position of the best element, of equal ones the first or the last. Grid: ceil(rows / 256)
/// blocks of 256, a thread a row: for rows that lie side by side.
template <class In, class Index, bool kLargest, bool kLast>
__global__ void __launch_bounds__(256) arg_columns(const __grid_constant__ SelectParams p) {
  release_next();
  wait_for_inputs();
  const long long row = blockIdx.x * 256ll + threadIdx.x;
  if (row >= p.rows) return;
  const In* x = static_cast<const In*>(p.x) + row_start(p, row, p.length);
  auto best = key(x[0]);
  int at = 0;
  for (int i = 1; i < p.length; ++i) {
    const auto other = key(x[i * p.inner]);
    if (better<kLargest>(other, best) || (kLast && other == best)) {
      best = other;
      at = i;
    }
  }
  static_cast<Index*>(p.indices)[row] = at;
}

/// The same with a block of 128 a row: for few long rows. Grid: rows blocks.
template <class In, class Index, bool kLargest, bool kLast>
__global__ void __launch_bounds__(128) arg_rows(const __grid_constant__ SelectParams p) {
  release_next();
  wait_for_inputs();
  using Key = decltype(key(In{}));
  __shared__ Key bests[128];
  __shared__ int positions[128];
  const int t = threadIdx.x;
  const In* x = static_cast<const In*>(p.x) + row_start(p, blockIdx.x, p.length);
  int at = t < p.length ? t : 0;
  Key best = key(x[at * p.inner]);
  for (int i = t + 128; i < p.length; i += 128) {
    const Key other = key(x[i * p.inner]);
    if (better<kLargest>(other, best) || (kLast && other == best)) {
      best = other;
      at = i;
    }
  }
  bests[t] = best;
  positions[t] = at;
  __syncthreads();
  for (int half_way = 64; half_way > 0; half_way /= 2) {
    if (t < half_way) {
      const Key other = bests[t + half_way];
      const int place = positions[t + half_way];
      const bool closer = kLast ? place > positions[t] : place < positions[t];
      if (better<kLargest>(other, bests[t]) || (other == bests[t] && closer)) {
        bests[t] = other;
        positions[t] = place;
      }
    }
    __syncthreads();
  }
  if (t == 0) static_cast<Index*>(p.indices)[blockIdx.x] = positions[0];
}

__device__ __forceinline__ void put(float* to, float sum) { *to = sum; }
__device__ __forceinline__ void put(half* to, float sum) { *to = from_float<half>(sum); }
template <class T>
__device__ __forceinline__ void put(T* to, long long sum) {
  *to = static_cast<T>(sum);
}

/// Grid: ceil(rows / 256) blocks of 256, a thread a row.
template <class In, bool kExclusive, bool kReverse>
__global__ void __launch_bounds__(256) running_sum(const __grid_constant__ SelectParams p) {
  release_next();
  wait_for_inputs();
  const long long row = blockIdx.x * 256ll + threadIdx.x;
  if (row >= p.rows) return;
  const long long first = row_start(p, row, p.length);
  const In* x = static_cast<const In*>(p.x) + first;
  In* y = static_cast<In*>(p.y) + first;
  decltype(key(In{})) sum = 0;
  for (int step = 0; step < p.length; ++step) {
    const long long at = (kReverse ? p.length - 1 - step : step) * p.inner;
    const auto element = key(x[at]);
    if (kExclusive) put(y + at, sum);
    sum += element;
    if (!kExclusive) put(y + at, sum);
  }
}
