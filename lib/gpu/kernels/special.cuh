// The special-function unit's approximations: some units in the last place off, denormals are zero.
// What the compiler makes of __expf and __fdividef is three times as long, for ranges that do not
// matter here.
#pragma once

__device__ __forceinline__ float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float exponential(float x) {
  return power_of_two(1.4426950408889634f * x);
}
__device__ __forceinline__ float reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float tangent(float x) {  // hyperbolic
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
