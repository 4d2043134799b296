// Element types without the toolkit's headers: arithmetic is in float, half is a storage type.
#pragma once

struct half {
  unsigned short bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(half x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
}
__device__ __forceinline__ float to_float(signed char x) {
  // The byte as the low bits of a float near 2^23, which two cheap operations make.
  return __int_as_float(0x4b000000 | (static_cast<unsigned char>(x) ^ 0x80)) - 8388736.f;
}
__device__ __forceinline__ float to_float(unsigned char x) { return static_cast<float>(x); }
__device__ __forceinline__ float to_float(int x) { return static_cast<float>(x); }
__device__ __forceinline__ float to_float(long long x) { return static_cast<float>(x); }
__device__ __forceinline__ float to_float(bool x) { return x ? 1.f : 0.f; }

/// Rounds once to the stored type: half to nearest even; int8 half to even, saturated.
template <class T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
  return x;
}
template <>
__device__ __forceinline__ half from_float<half>(float x) {
  half y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
  return y;
}
template <>
__device__ __forceinline__ signed char from_float<signed char>(float x) {
  // Adding 1.5 * 2^23 leaves the nearest integer, ties to even, in the low bits: a conversion would
  // take several times as long.
  const float y = fminf(fmaxf(x, -128.f), 127.f) + 12582912.f;
  return static_cast<signed char>(__float_as_int(y));
}
template <>
__device__ __forceinline__ unsigned char from_float<unsigned char>(float x) {
  return static_cast<unsigned char>(static_cast<long long>(x));
}
template <>
__device__ __forceinline__ int from_float<int>(float x) {
  return static_cast<int>(x);
}
template <>
__device__ __forceinline__ long long from_float<long long>(float x) {
  return static_cast<long long>(x);
}
template <>
__device__ __forceinline__ bool from_float<bool>(float x) {
  return x != 0.f;
}

/// kCount neighbours, moved as few wide words as their size allows.
template <class T, int kCount>
struct alignas(sizeof(T) * kCount < 16 ? sizeof(T) * kCount : 16) Vector {
  T at[kCount];
};

/// What a stored number stands for is stored * scale; 1 for types other than int8.
template <class T>
__device__ __forceinline__ float real(T stored, float scale) {
  if constexpr (sizeof(T) == 1) return __fmul_rn(to_float(stored), scale);
  return to_float(stored);
}
template <class T>
__device__ __forceinline__ T stored(float x, float inverse) {
  // Within a few units in the last place of x / scale: only next to a tie can the two round apart.
  if constexpr (sizeof(T) == 1) return from_float<T>(x * inverse);
  return from_float<T>(x);
}

/// Stands where a type is asked for and nothing is there.
struct Nothing {};
template <class T>
inline constexpr bool kIsNothing = false;
template <>
inline constexpr bool kIsNothing<Nothing> = true;
template <bool kFirst, class A, class B>
struct SelectType {
  using type = A;
};
template <class A, class B>
struct SelectType<false, A, B> {
  using type = B;
};
template <bool kFirst, class A, class B>
using Select = typename SelectType<kFirst, A, B>::type;

template <class A, class B>
inline constexpr bool kIsSame = false;
template <class A>
inline constexpr bool kIsSame<A, A> = true;

/// @p x as type @p T holds it, unless it comes from or goes to type @p Beside, which is the same.
template <class T, class Beside>
__device__ __forceinline__ float rounded(float x) {
  if constexpr (sizeof(T) == 2 && !kIsSame<T, Beside>) return to_float(from_float<T>(x));
  return x;
}

/// Waits for the kernels before this one, when it was launched before they had ended.
__device__ __forceinline__ void wait_for_inputs() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Lets the next kernel start its preparations. Kernels call it once their own inputs are there,
/// products once their last copies are on their way or their sums are there: blocks of kernels that come later still would take the room and the
/// copies of those that others wait for.
__device__ __forceinline__ void release_next() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
