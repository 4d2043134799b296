// Along one axis: sums and their kin, softmax, layer norm.
//   T, Out  half, float, signed char
#include "rows_params.h"
#include "types.cuh"

using namespace dlaexec::gpu;

/// A reduction: where it starts, how an element and how another part joins, and its end.
#define DLAEXEC_REDUCTION(Name, start, step, joined, end)                               \
  struct Name {                                                                         \
    static __device__ __forceinline__ float first() { return start; }                   \
    static __device__ __forceinline__ float add(float sum, float x) { return step; }    \
    static __device__ __forceinline__ float join(float sum, float x) { return joined; } \
    static __device__ __forceinline__ float last(float sum, int length) { return end; } \
  };
DLAEXEC_REDUCTION(Sum, 0.f, sum + x, sum + x, sum)
DLAEXEC_REDUCTION(Mean, 0.f, sum + x, sum + x, sum / static_cast<float>(length))
DLAEXEC_REDUCTION(Max, -__int_as_float(0x7f800000), fmaxf(sum, x), fmaxf(sum, x), sum)
DLAEXEC_REDUCTION(Min, __int_as_float(0x7f800000), fminf(sum, x), fminf(sum, x), sum)
DLAEXEC_REDUCTION(Prod, 1.f, sum* x, sum* x, sum)
DLAEXEC_REDUCTION(L1, 0.f, sum + fabsf(x), sum + x, sum)
DLAEXEC_REDUCTION(L2, 0.f, fmaf(x, x, sum), sum + x, sqrtf(sum))
DLAEXEC_REDUCTION(LogSum, 0.f, sum + x, sum + x, logf(sum))
DLAEXEC_REDUCTION(SumSquare, 0.f, fmaf(x, x, sum), sum + x, sum)

/// Reduces the middle of [outer][length][inner]: blockDim.x threads along inner, kVec each, the
/// other dimension of the block along length. Elements are rounded to Read before they join, and
/// results to Made before they become Out, where those are other types. Grid: (ceil(inner /
/// (blockDim.x * kVec)), outer). Block: 512 threads or fewer.
template <class Kind, class T, class Out, int kVec, class Read = T, class Made = Out>
__global__ void __launch_bounds__(512) reduce_columns(const __grid_constant__ RowsParams p) {
  __shared__ float parts[512 * kVec];
  wait_for_inputs();
  release_next();
  const int first = (blockIdx.x * blockDim.x + threadIdx.x) * kVec;
  float sums[kVec];
#pragma unroll
  for (int i = 0; i < kVec; ++i) sums[i] = Kind::first();
  const T* x = static_cast<const T*>(p.x) + blockIdx.y * p.x_outer + first;
  if (first < p.inner)
#pragma unroll 4
    for (int at = threadIdx.y; at < p.length; at += blockDim.y) {
      const auto in = *reinterpret_cast<const Vector<T, kVec>*>(x + at * p.x_step);
#pragma unroll
      for (int i = 0; i < kVec; ++i)
        sums[i] = Kind::add(sums[i], rounded<Read, T>(real(in.at[i], p.x_scale)));
    }
  const int row = blockDim.x * kVec;
#pragma unroll
  for (int i = 0; i < kVec; ++i) parts[threadIdx.y * row + i * blockDim.x + threadIdx.x] = sums[i];
  __syncthreads();
  if (threadIdx.y != 0 || first >= p.inner) return;
  Vector<Out, kVec> out;
#pragma unroll
  for (int i = 0; i < kVec; ++i) {
    float sum = parts[i * blockDim.x + threadIdx.x];
    for (int other = 1; other < static_cast<int>(blockDim.y); ++other)
      sum = Kind::join(sum, parts[other * row + i * blockDim.x + threadIdx.x]);
    out.at[i] = stored<Out>(rounded<Made, Out>(Kind::last(sum, p.length)), p.y_inverse);
  }
  *reinterpret_cast<Vector<Out, kVec>*>(static_cast<Out*>(p.y) + blockIdx.y * p.y_outer + first) =
      out;
}

template <class Kind>
__device__ __forceinline__ float over_block(float value) {
  __shared__ float parts[8];
  __shared__ float result;
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value = Kind::join(value, __shfl_xor_sync(0xffffffffu, value, distance));
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 1; i < static_cast<int>(blockDim.x) / 32; ++i) value = Kind::join(value, parts[i]);
    result = value;
  }
  __syncthreads();
  const float all = result;
  __syncthreads();  // so that a second call may reuse the shared words
  return all;
}

/// Where row @p outer, column @p inner of the middle axis starts.
__device__ __forceinline__ long long row_start(long long outer_step, int row, const RowsParams& p) {
  return row / p.inner * outer_step + row % p.inner;
}

/// The largest of a row's elements, in every thread of its block.
template <class T>
__device__ __forceinline__ float highest_of(const T* x, const RowsParams& p) {
  float highest = Max::first();
  for (int i = threadIdx.x; i < p.length; i += blockDim.x)
    highest = fmaxf(highest, real(x[i * p.x_step], p.x_scale));
  return over_block<Max>(highest);
}

/// The sum of the exponentials of what a row's elements are beyond @p highest, in every thread.
template <class T>
__device__ __forceinline__ float sum_of_exponentials(const T* x, float highest,
                                                     const RowsParams& p) {
  float sum = 0.f;
  for (int i = threadIdx.x; i < p.length; i += blockDim.x)
    sum += expf(real(x[i * p.x_step], p.x_scale) - highest);
  return over_block<Sum>(sum);
}

/// Reduces rows, one block each. Grid: outer * inner. Block: 32 to 256 threads.
template <class Kind, class T, class Out>
__global__ void __launch_bounds__(256) reduce_rows(const __grid_constant__ RowsParams p) {
  wait_for_inputs();
  release_next();
  const T* x = static_cast<const T*>(p.x) + row_start(p.x_outer, blockIdx.x, p);
  float sum = Kind::first();
  for (int i = threadIdx.x; i < p.length; i += blockDim.x)
    sum = Kind::add(sum, real(x[i * p.x_step], p.x_scale));
  sum = over_block<Kind>(sum);
  if (threadIdx.x == 0)
    static_cast<Out*>(p.y)[row_start(p.y_outer, blockIdx.x, p)] =
        stored<Out>(Kind::last(sum, p.length), p.y_inverse);
}

/// The logarithm of the sum of rows' exponentials, one block each. Grid and block as reduce_rows.
template <class T, class Out>
__global__ void __launch_bounds__(256) log_sum_exp(const __grid_constant__ RowsParams p) {
  wait_for_inputs();
  release_next();
  const T* x = static_cast<const T*>(p.x) + row_start(p.x_outer, blockIdx.x, p);
  const float highest = highest_of(x, p);
  const float sum = sum_of_exponentials(x, highest, p);
  if (threadIdx.x == 0)  // an infinite maximum is the result
    static_cast<Out*>(p.y)[row_start(p.y_outer, blockIdx.x, p)] =
        stored<Out>(fabsf(highest) <= 3.4e38f ? highest + logf(sum) : highest, p.y_inverse);
}

/// One at the first of a row's largest elements, zero elsewhere. Grid and block as reduce_rows.
template <class T, class Out>
__global__ void __launch_bounds__(256) hardmax(const __grid_constant__ RowsParams p) {
  wait_for_inputs();
  release_next();
  const T* x = static_cast<const T*>(p.x) + row_start(p.x_outer, blockIdx.x, p);
  Out* y = static_cast<Out*>(p.y) + row_start(p.y_outer, blockIdx.x, p);
  const float highest = highest_of(x, p);
  float first = Min::first();  // exact for the 2^24 elements that a row may have
  for (int i = threadIdx.x; i < p.length; i += blockDim.x)
    if (real(x[i * p.x_step], p.x_scale) == highest) first = fminf(first, static_cast<float>(i));
  first = over_block<Min>(first);
  for (int i = threadIdx.x; i < p.length; i += blockDim.x)
    y[i * p.y_step] = stored<Out>(static_cast<float>(i) == first ? 1.f : 0.f, p.y_inverse);
}

/// Softmax, or its logarithm, of rows, one block each. Grid and block as reduce_rows.
template <class T, class Out, bool kLog>
__global__ void __launch_bounds__(256) softmax(const __grid_constant__ RowsParams p) {
  wait_for_inputs();
  release_next();
  const T* x = static_cast<const T*>(p.x) + row_start(p.x_outer, blockIdx.x, p);
  Out* y = static_cast<Out*>(p.y) + row_start(p.y_outer, blockIdx.x, p);
  const float highest = highest_of(x, p);
  const float sum = sum_of_exponentials(x, highest, p);
  const float log_sum = kLog ? logf(sum) : 0.f;
  for (int i = threadIdx.x; i < p.length; i += blockDim.x) {
    const float value = real(x[i * p.x_step], p.x_scale) - highest;
    y[i * p.y_step] = stored<Out>(kLog ? value - log_sum : expf(value) / sum, p.y_inverse);
  }
}

/// Layer norm (kCentred) or rms norm of rows, one block each. Grid and block as reduce_rows.
template <class T, class Out, bool kCentred>
__global__ void __launch_bounds__(256) normalize(const __grid_constant__ RowsParams p) {
  wait_for_inputs();
  release_next();
  const T* x = static_cast<const T*>(p.x) + row_start(p.x_outer, blockIdx.x, p);
  Out* y = static_cast<Out*>(p.y) + row_start(p.y_outer, blockIdx.x, p);
  float mean = 0.f;
  if constexpr (kCentred) {
    for (int i = threadIdx.x; i < p.length; i += blockDim.x)
      mean += real(x[i * p.x_step], p.x_scale);
    mean = over_block<Sum>(mean) / static_cast<float>(p.length);
  }
  float squares = 0.f;
  for (int i = threadIdx.x; i < p.length; i += blockDim.x) {
    const float difference = real(x[i * p.x_step], p.x_scale) - mean;
    squares = fmaf(difference, difference, squares);
  }
  const float inverse = rsqrtf(over_block<Sum>(squares) / static_cast<float>(p.length) + p.epsilon);
  for (int i = threadIdx.x; i < p.length; i += blockDim.x) {
    float value = (real(x[i * p.x_step], p.x_scale) - mean) * inverse * p.gain[i];
    if (p.shift) value += p.shift[i];
    y[i * p.y_step] = stored<Out>(value, p.y_inverse);
  }
}

template <class Kind>
__device__ __forceinline__ float over_warp(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value = Kind::join(value, __shfl_xor_sync(0xffffffffu, value, distance));
  return value;
}

/// The same for dense rows of whole vectors that a warp holds in registers: one read, one write. A
/// warp goes on to other rows, which it asks for ahead, with gains that stay.
/// kPasses: vectors of a lane. Grid: ceil(outer / 4), or fewer. Block: 128 threads.
template <class T, class Out, bool kCentred, int kPasses>
__global__ void __launch_bounds__(128)
    normalize_in_registers(const __grid_constant__ RowsParams p) {
  constexpr int kVec = 16 / (sizeof(T) > sizeof(Out) ? sizeof(T) : sizeof(Out));
  const int lane = threadIdx.x % 32, step = gridDim.x * 4;
  // Constants need not wait for other kernels.
  Vector<float, kVec> gain[kPasses], shift[kPasses];
#pragma unroll
  for (int pass = 0; pass < kPasses; ++pass) {
    const int first = (pass * 32 + lane) * kVec;
    gain[pass] = shift[pass] = Vector<float, kVec>{};
    if (first >= p.length) break;
    gain[pass] = *reinterpret_cast<const Vector<float, kVec>*>(p.gain + first);
    if (p.shift) shift[pass] = *reinterpret_cast<const Vector<float, kVec>*>(p.shift + first);
  }
  wait_for_inputs();
  release_next();
  Vector<T, kVec> next[kPasses] = {};
  const auto fetch = [&](int row) {
    if (row >= p.outer) return;
    const T* x = static_cast<const T*>(p.x) + row * p.x_outer;
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      const int first = (pass * 32 + lane) * kVec;
      if (first < p.length) next[pass] = *reinterpret_cast<const Vector<T, kVec>*>(x + first);
    }
  };
  int row = blockIdx.x * 4 + threadIdx.x / 32;
  fetch(row);
  for (; row < p.outer; row += step) {
    float values[kPasses][kVec];
    float sum = 0.f;
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass)
#pragma unroll
      for (int i = 0; i < kVec; ++i) {
        values[pass][i] = real(next[pass].at[i], p.x_scale);
        sum += values[pass][i];
      }
    fetch(row + step);
    const float mean = kCentred ? over_warp<Sum>(sum) / static_cast<float>(p.length) : 0.f;
    float squares = 0.f;
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass)
#pragma unroll
      for (int i = 0; i < kVec; ++i) {
        const float difference = values[pass][i] - mean;
        if ((pass * 32 + lane) * kVec < p.length) squares = fmaf(difference, difference, squares);
      }
    const float inverse =
        rsqrtf(over_warp<Sum>(squares) / static_cast<float>(p.length) + p.epsilon);
    Out* y = static_cast<Out*>(p.y) + row * p.y_outer;
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      const int first = (pass * 32 + lane) * kVec;
      if (first >= p.length) break;
      Vector<Out, kVec> out;
#pragma unroll
      for (int i = 0; i < kVec; ++i)
        out.at[i] = stored<Out>(
            (values[pass][i] - mean) * inverse * gain[pass].at[i] + shift[pass].at[i], p.y_inverse);
      *reinterpret_cast<Vector<Out, kVec>*>(y + first) = out;
    }
  }
}
