// out = f(in...), element by element with broadcast, change of type and of layout: pointwise
// layers, transposes, slices, concatenations, format changes.
//   F            a functor below; Out, In0, In1, In2: half, float, signed char (In1, In2: or Nothing)
//   kRank        dimensions that are walked
//   kVec         neighbours along the last dimension that a thread handles; there an operand's stride
//                is 1 or 0
// Grid: any number of blocks; each thread takes every gridDim.x * blockDim.x-th vector.
#include "activation.cuh"
#include "map_params.h"
#include "position.cuh"
#include "types.cuh"

using namespace dlaexec::gpu;

template <class Act>
struct Apply {
  static __device__ __forceinline__ float of(float a, float, float, const MapParams& p) {
    return Act::of(a, p.alpha, p.beta);
  }
};

#define DLAEXEC_BINARY(Name, value)                                                          \
  template <class Act>                                                                       \
  struct Name {                                                                              \
    static __device__ __forceinline__ float of(float a, float b, float, const MapParams& p) { \
      return Act::of(value, p.alpha, p.beta);                                                \
    }                                                                                        \
  };
DLAEXEC_BINARY(Sum, a + b)
DLAEXEC_BINARY(Sub, a - b)
DLAEXEC_BINARY(Prod, a* b)
DLAEXEC_BINARY(Div, a / b)
DLAEXEC_BINARY(Pow, powf(a, b))
DLAEXEC_BINARY(Min, a != a || a < b ? a : b)
DLAEXEC_BINARY(Max, a != a || a > b ? a : b)

#define DLAEXEC_UNARY(Name, value)                                                        \
  struct Name {                                                                           \
    static __device__ __forceinline__ float of(float a, float, float, const MapParams&) { \
      return value;                                                                       \
    }                                                                                     \
  };
DLAEXEC_UNARY(Exp, expf(a))
DLAEXEC_UNARY(Log, logf(a))
DLAEXEC_UNARY(Sqrt, sqrtf(a))
DLAEXEC_UNARY(Reciprocal, 1.f / a)
DLAEXEC_UNARY(Abs, fabsf(a))
DLAEXEC_UNARY(Neg, -a)
DLAEXEC_UNARY(Sin, sinf(a))
DLAEXEC_UNARY(Cos, cosf(a))
DLAEXEC_UNARY(Ceil, ceilf(a))
DLAEXEC_UNARY(Floor, floorf(a))
DLAEXEC_UNARY(Round, rintf(a))
DLAEXEC_UNARY(Erf, erff(a))

/// x * scale + shift, rounded as two operations.
struct ScaleShift {
  static __device__ __forceinline__ float of(float a, float b, float c, const MapParams&) {
    return __fadd_rn(__fmul_rn(a, b), c);
  }
};
struct PRelu {
  static __device__ __forceinline__ float of(float a, float b, float, const MapParams&) {
    return a < 0.f ? a * b : a;
  }
};

/// The same element, whatever it means.
struct Move {};

template <class T, int kVec>
__device__ __forceinline__ void load(float (&values)[kVec], const void* from, long long at,
                                     long long stride, float scale) {
  if constexpr (!kIsNothing<T>) {
    const T* first = static_cast<const T*>(from) + at;
    if (kVec > 1 && stride != 0) {
      const Vector<T, kVec> all = *reinterpret_cast<const Vector<T, kVec>*>(first);
#pragma unroll
      for (int i = 0; i < kVec; ++i) values[i] = real(all.at[i], scale);
    } else {
      const float value = real(*first, scale);
#pragma unroll
      for (int i = 0; i < kVec; ++i) values[i] = value;
    }
  } else {
#pragma unroll
    for (int i = 0; i < kVec; ++i) values[i] = 0.f;
  }
}

template <class F, class Out, class In0, class In1, class In2, int kRank, int kVec>
__global__ void __launch_bounds__(256) map(const __grid_constant__ MapParams p) {
  wait_for_inputs();
  release_next();
  constexpr int kFirst = kMapRank - kRank;
  for (long long index = blockIdx.x * 256ll + threadIdx.x; index < p.count;
       index += gridDim.x * 256ll) {
    long long rest = index, at[3] = {0, 0, 0}, out_at = 0;
    int inner = 0;
#pragma unroll
    for (int d = kMapRank - 1; d >= kFirst; --d) {
      const int size = d == kMapRank - 1 ? p.dims[d] / kVec : p.dims[d];
      long long i = d > kFirst ? take_position(rest, size) : rest;
      if (d == kMapRank - 1) {
        i *= kVec;
        inner = static_cast<int>(i);
      }
#pragma unroll
      for (int k = 0; k < 3; ++k) at[k] += i * p.in_strides[k][d];
      out_at += i * p.out_strides[d];
    }
    Vector<Out, kVec> out = {};
    if constexpr (kIsSame<F, Move>) {
      const In0* from = static_cast<const In0*>(p.in[0]) + at[0];
      if (kVec > 1 && p.in_strides[0][kMapRank - 1] != 0)
        out = *reinterpret_cast<const Vector<Out, kVec>*>(from);
      else
#pragma unroll
        for (int i = 0; i < kVec; ++i) out.at[i] = *from;
    } else if (inner < p.inner_valid) {
      float a[kVec], b[kVec], c[kVec];
      load<In0, kVec>(a, p.in[0], at[0], p.in_strides[0][kMapRank - 1], p.in_scale[0]);
      load<In1, kVec>(b, p.in[1], at[1], p.in_strides[1][kMapRank - 1], p.in_scale[1]);
      load<In2, kVec>(c, p.in[2], at[2], p.in_strides[2][kMapRank - 1], p.in_scale[2]);
#pragma unroll
      for (int i = 0; i < kVec; ++i)
        if (inner + i < p.inner_valid)
          out.at[i] = stored<Out>(F::of(a[i], b[i], c[i], p), p.out_inverse);
    }
    *reinterpret_cast<Vector<Out, kVec>*>(static_cast<Out*>(p.out) + out_at) = out;
  }
}
