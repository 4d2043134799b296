// Eight halves in the four registers of a 16-byte access.
#pragma once
#include "types.cuh"

struct Half8 {
  uint4 bits;
  __device__ __forceinline__ float at(int i) const {
    const unsigned word = i < 2 ? bits.x : i < 4 ? bits.y : i < 6 ? bits.z : bits.w;
    return to_float(half{static_cast<unsigned short>(i % 2 ? word >> 16 : word)});
  }
};

/// Two floats as halves in one word, the first in the low bits.
__device__ __forceinline__ unsigned packed(float low, float high) {
#if __CUDA_ARCH__ >= 800
  unsigned both;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
#else
  return from_float<half>(low).bits | static_cast<unsigned>(from_float<half>(high).bits) << 16;
#endif
}
__device__ __forceinline__ Half8 packed(const float (&x)[8]) {
  return {
      make_uint4(packed(x[0], x[1]), packed(x[2], x[3]), packed(x[4], x[5]), packed(x[6], x[7]))};
}
