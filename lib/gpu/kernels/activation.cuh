// Activations as types, named as ir::ActivationKind names them; each is x -> y in float.
#pragma once
#include "special.cuh"
#include "types.cuh"

struct None {
  static __device__ __forceinline__ float of(float x, float, float) { return x; }
};
struct Relu {
  static __device__ __forceinline__ float of(float x, float, float) { return fmaxf(x, 0.f); }
};
struct Clip {
  static __device__ __forceinline__ float of(float x, float a, float b) {
    return fminf(fmaxf(x, a), b);
  }
};
struct LeakyRelu {
  static __device__ __forceinline__ float of(float x, float a, float) {
    return x < 0.f ? a * x : x;
  }
};
struct Sigmoid {
  static __device__ __forceinline__ float of(float x, float, float) {
    return reciprocal(1.f + exponential(-x));
  }
};
struct Tanh {
  static __device__ __forceinline__ float of(float x, float, float) { return tanhf(x); }
};
struct Elu {
  static __device__ __forceinline__ float of(float x, float a, float) {
    return x < 0.f ? a * (expf(x) - 1.f) : x;
  }
};
struct Selu {
  static __device__ __forceinline__ float of(float x, float a, float b) {
    return b * (x < 0.f ? a * (expf(x) - 1.f) : x);
  }
};
struct Celu {
  static __device__ __forceinline__ float of(float x, float a, float) {
    return fmaxf(0.f, x) + fminf(0.f, a * (expf(x / a) - 1.f));
  }
};
struct Softplus {
  static __device__ __forceinline__ float of(float x, float, float) {
    return fmaxf(x, 0.f) + log1pf(expf(-fabsf(x)));
  }
};
struct Softsign {
  static __device__ __forceinline__ float of(float x, float, float) { return x / (1.f + fabsf(x)); }
};
struct HardSigmoid {
  static __device__ __forceinline__ float of(float x, float a, float b) {
    return fmaxf(0.f, fminf(1.f, a * x + b));
  }
};
struct HardSwish {
  static __device__ __forceinline__ float of(float x, float, float) {
    return x * fmaxf(0.f, fminf(1.f, x * (1.f / 6.f) + 0.5f));
  }
};
struct GeluErf {
  static __device__ __forceinline__ float of(float x, float, float) {
    // x Phi(x) = max(x, 0) - |x| erfc(|x| / sqrt 2) / 2, erfc as Abramowitz and Stegun's 7.1.26,
    // whose error stays below 1.5e-7: a third of erff's operations, and no cancellation for
    // negative x.
    const float size = fabsf(x), t = reciprocal(fmaf(0.3275911f * 0.70710678118654752f, size, 1.f));
    float half_sum = fmaf(t, 0.5f * 1.061405429f, 0.5f * -1.453152027f);
    half_sum = fmaf(t, half_sum, 0.5f * 1.421413741f);
    half_sum = fmaf(t, half_sum, 0.5f * -0.284496736f);
    half_sum = fmaf(t, half_sum, 0.5f * 0.254829592f);
    return fmaf(-size * t, half_sum * exponential(-0.5f * x * x), fmaxf(x, 0.f));
  }
};
struct GeluTanh {
  static __device__ __forceinline__ float of(float x, float, float) {
    return 0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
  }
};
struct Mish {
  static __device__ __forceinline__ float of(float x, float, float) {
    return x * tanhf(fmaxf(x, 0.f) + log1pf(expf(-fabsf(x))));
  }
};
struct Silu {
  static __device__ __forceinline__ float of(float x, float a, float) {
    return x * reciprocal(1.f + exponential(-a * x));
  }
};
struct ThresholdedRelu {
  static __device__ __forceinline__ float of(float x, float a, float) { return x > a ? x : 0.f; }
};
struct Shrink {
  static __device__ __forceinline__ float of(float x, float a, float b) {
    return x < -a ? x + b : x > a ? x - b : 0.f;
  }
};

/// True of activations that never fall where x rises, whatever their parameters.
template <class Act>
inline constexpr bool kKeepsOrder = false;
template <>
inline constexpr bool kKeepsOrder<None> = true;
template <>
inline constexpr bool kKeepsOrder<Relu> = true;
template <>
inline constexpr bool kKeepsOrder<Clip> = true;

/// Silu off by at most what rounding x to half may be: one special function instead of two.
struct SiluOfHalf {
  static __device__ __forceinline__ float of(float x, float a, float) {
    const float middle = 0.5f * x;
    return fmaf(middle, tangent(a * middle), middle);
  }
};

/// The form of an activation that is as precise as results of type Out are.
template <class Act, class Out>
struct ForResults {
  using type = Act;
};
template <>
struct ForResults<Silu, half> {
  using type = SiluOfHalf;
};
template <>
struct ForResults<Silu, signed char> {
  using type = SiluOfHalf;
};
template <class Act, class Out>
using ActivationFor = typename ForResults<Act, Out>::type;
