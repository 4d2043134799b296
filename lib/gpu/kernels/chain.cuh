// What generated pointwise kernels are written with (gpu/chain_text.cpp writes them). Reals are
// computed in float, integers in long long; each value is rounded to its type where the graph says.
#pragma once

#include "activation.cuh"
#include "chain_params.h"
#include "position.cuh"
#include "types.cuh"

namespace pointwise {

using dlaexec::gpu::ChainParams;
using dlaexec::gpu::kChainRank;

/// Where vector @p index lies: its position along the last dimension, and each operand's element.
template <int kRank, int kVec, int kIn, int kOut>
__device__ __forceinline__ int locate(const ChainParams& p, long long index, long long (&in)[kIn],
                                      long long (&out)[kOut]) {
  constexpr int kLast = kChainRank - 1, kFirst = kChainRank - kRank;
  long long rest = index;
  int inner = 0;
#pragma unroll
  for (int k = 0; k < kIn; ++k) in[k] = 0;
#pragma unroll
  for (int k = 0; k < kOut; ++k) out[k] = 0;
#pragma unroll
  for (int d = kLast; d >= kFirst; --d) {
    const int size = d == kLast ? p.dims[d] / kVec : p.dims[d];
    long long i = d > kFirst ? take_position(rest, size) : rest;
    if (d == kLast) {
      i *= kVec;
      inner = static_cast<int>(i);
    }
#pragma unroll
    for (int k = 0; k < kIn; ++k) in[k] += i * p.in_strides[k][d];
#pragma unroll
    for (int k = 0; k < kOut; ++k) out[k] += i * p.out_strides[k][d];
  }
  return inner;
}

/// kVec neighbours, or one element for all of them.
template <class T, int kVec>
__device__ __forceinline__ Vector<T, kVec> load(const void* from, long long at) {
  return *reinterpret_cast<const Vector<T, kVec>*>(static_cast<const T*>(from) + at);
}
template <class T>
__device__ __forceinline__ T load_one(const void* from, long long at) {
  return static_cast<const T*>(from)[at];
}
template <class T, int kVec>
__device__ __forceinline__ void store(void* to, long long at, const Vector<T, kVec>& values) {
  *reinterpret_cast<Vector<T, kVec>*>(static_cast<T*>(to) + at) = values;
}

/// Toward zero; out of range the nearest long long, NaN the least.
__device__ __forceinline__ long long integer(float x) {
  constexpr long long kLeast = -9223372036854775807ll - 1;
  if (!(x > -9.2233720368547758e18f)) return kLeast;
  return x >= 9.2233720368547758e18f ? -(kLeast + 1) : static_cast<long long>(x);
}

/// The nearest integer, @p zero added, held between @p low and @p high; NaN gives 0.
__device__ __forceinline__ long long quantized(float steps, long long zero, int low, int high) {
  const float at = rintf(steps) + static_cast<float>(zero);
  if (at != at) return 0;
  return static_cast<long long>(fminf(fmaxf(at, static_cast<float>(low)), static_cast<float>(high)));
}

__device__ __forceinline__ float floor_mod(float a, float b) {
  const float rest = fmodf(a, b);
  return rest != 0.f && (rest < 0.f) != (b < 0.f) ? rest + b : rest;
}
__device__ __forceinline__ float sign(float x) { return x > 0.f ? 1.f : x < 0.f ? -1.f : x; }
__device__ __forceinline__ float least(float a, float b) { return a != a || a < b ? a : b; }
__device__ __forceinline__ float largest(float a, float b) { return a != a || a > b ? a : b; }

// Integers wrap as the types do; what ONNX leaves undefined gives 0.
__device__ __forceinline__ long long wrap(unsigned long long x) {
  return static_cast<long long>(x);
}
__device__ __forceinline__ long long sum(long long a, long long b) {
  return wrap(static_cast<unsigned long long>(a) + static_cast<unsigned long long>(b));
}
__device__ __forceinline__ long long difference(long long a, long long b) {
  return wrap(static_cast<unsigned long long>(a) - static_cast<unsigned long long>(b));
}
__device__ __forceinline__ long long product(long long a, long long b) {
  return wrap(static_cast<unsigned long long>(a) * static_cast<unsigned long long>(b));
}
__device__ __forceinline__ long long quotient(long long a, long long b) {
  if (b == 0) return 0;
  return b == -1 ? difference(0, a) : a / b;
}
__device__ __forceinline__ long long power(long long base, long long exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  long long result = 1;
  for (long long factor = base; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = product(result, factor);
    factor = product(factor, factor);
  }
  return result;
}
__device__ __forceinline__ long long rest(long long a, long long b) {
  return b == 0 || b == -1 ? 0 : a % b;
}
__device__ __forceinline__ long long floor_rest(long long a, long long b) {
  const long long r = rest(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
__device__ __forceinline__ long long shift_left(long long a, long long by) {
  return by < 0 || by > 63 ? 0 : wrap(static_cast<unsigned long long>(a) << by);
}
__device__ __forceinline__ long long shift_right(long long a, long long by) {
  return by < 0 || by > 63 ? 0 : wrap(static_cast<unsigned long long>(a) >> by);
}
__device__ __forceinline__ long long least(long long a, long long b) { return a < b ? a : b; }
__device__ __forceinline__ long long largest(long long a, long long b) { return a > b ? a : b; }

}  // namespace pointwise
