// Tensor-core products of one warp, 16 x 8 x 32 bytes, from rows of shared memory that are
// contiguous along the sum. Half, int8 and tf32 share one register layout, counted in bytes.
#pragma once
#include "types.cuh"

__device__ __forceinline__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

/// 16 bytes to shared memory past the first-level cache, or 16 zero bytes when @p valid is false.
__device__ __forceinline__ void copy_async(unsigned to, const void* from, bool valid) {
#if __CUDA_ARCH__ >= 800
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(bytes)
               : "memory");
#else
  uint4 value = make_uint4(0, 0, 0, 0);
  if (valid) value = *static_cast<const uint4*>(from);
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(value.x), "r"(value.y),
               "r"(value.z), "r"(value.w)
               : "memory");
#endif
}
__device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
/// Until at most @p kPending groups of copies are still on their way.
template <int kPending>
__device__ __forceinline__ void wait_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#endif
}

__device__ __forceinline__ void load_matrix_x4(unsigned (&r)[4], unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

/// What the tensor cores add up in: exact integers for int8.
template <class In>
struct Sum {
  using type = float;
};
template <>
struct Sum<signed char> {
  using type = int;
};

template <class In>
struct Mma;

template <>
struct Mma<half> {
  static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4],
                                             const unsigned (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
#pragma unroll
    for (int i = 0; i < 2; ++i)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
          "{%0, %1, %2, %3};"
          : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
          : "r"(a[2 * i]), "r"(a[2 * i + 1]), "r"(b[i]));
#endif
  }
};

template <>
struct Mma<signed char> {
  static __device__ __forceinline__ void run(int (&d)[4], const unsigned (&a)[4],
                                             const unsigned (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
#pragma unroll
    for (int i = 0; i < 4; ++i)  // i & 1: which 8 rows; i >> 1: which 16 bytes of the sum
      asm volatile(
          "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
          : "+r"(d[2 * (i & 1)]), "+r"(d[2 * (i & 1) + 1])
          : "r"(a[i]), "r"(b[i >> 1]));
#endif
  }
};

template <>
struct Mma<float> {
  /// Rounds both sides to tf32 first; truncation, what the unit does by itself, is biased.
  static __device__ __forceinline__ unsigned rounded(unsigned x) {
    unsigned y = x;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(__uint_as_float(x)));
#endif
    return y;
  }
  static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4],
                                             const unsigned (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(rounded(a[0])), "r"(rounded(a[1])), "r"(rounded(a[2])), "r"(rounded(a[3])),
          "r"(rounded(b[0])), "r"(rounded(b[1])));
#endif
  }
};

/// A float whose products are as good as float's: each side is a sum of two tf32 numbers, and of
/// the four products that makes only that of the two small ones is left out.
struct FullFloat {
  float value;
};
template <>
struct Mma<FullFloat> {
  /// What rounding to tf32 takes away.
  static __device__ __forceinline__ unsigned rest(unsigned x) {
    const float value = __uint_as_float(x);
    const float lost = value - __uint_as_float(Mma<float>::rounded(x));
    return __float_as_uint(fabsf(value) <= 3.4e38f ? lost : 0.f);
  }
  static __device__ __forceinline__ void run(float (&d)[4], const unsigned (&a)[4],
                                             const unsigned (&b)[2]) {
    const unsigned small_a[4] = {rest(a[0]), rest(a[1]), rest(a[2]), rest(a[3])};
    const unsigned small_b[2] = {rest(b[0]), rest(b[1])};
    Mma<float>::run(d, small_a, b);
    Mma<float>::run(d, a, small_b);
    Mma<float>::run(d, a, b);
  }
};
