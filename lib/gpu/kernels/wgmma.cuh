// Hopper's tensor-core products of a warpgroup: both sides from shared memory, sums in registers.
// Rows of both tiles are 128 bytes along the sum, swizzled as conv_feed.cuh does; tiles start on
// 1024 bytes. Needs sm_90a.
#pragma once
#include "barrier.cuh"
#include "mma.cuh"

#if __CUDA_ARCH__ >= 900
/// The descriptor of a tile at @p address, whose rows of 64 or 128 bytes are swizzled as wide; its
/// first row need not be the first of eight.
template <int kRow = 128>
__device__ __forceinline__ unsigned long long tile_descriptor(unsigned address) {
  return static_cast<unsigned long long>((address & 0x3ffff) >> 4) | (1ull << 16) |
         (static_cast<unsigned long long>(kRow / 2) << 32) | ((kRow == 128 ? 1ull : 2ull) << 62);
}
/// The descriptor of what lies @p bytes further on: addresses fill less than its lower word.
__device__ __forceinline__ unsigned long long further(unsigned long long descriptor,
                                                      unsigned bytes) {
  const unsigned lower = static_cast<unsigned>(descriptor) + (bytes >> 4);
  return (descriptor >> 32 << 32) | lower;
}
/// The descriptor of a tile whose rows follow each other 16 bytes apart, or overlap so; along the
/// sum the next 16 bytes are @p ahead further on.
__device__ __forceinline__ unsigned long long column_descriptor(unsigned address, int ahead) {
  return static_cast<unsigned long long>((address & 0x3ffff) >> 4) |
         (static_cast<unsigned long long>(ahead >> 4) << 16) | (128ull >> 4 << 32);
}
__device__ __forceinline__ void fence_products() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
/// Keeps the compiler from reading sums before what was waited for above.
template <class SumType, int kCount>
__device__ __forceinline__ void hold(SumType (&sums)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i)
    if constexpr (kIsSame<SumType, float>)
      asm volatile("" : "+f"(sums[i])::"memory");
    else
      asm volatile("" : "+r"(sums[i])::"memory");
}
/// d[64 x kColumns] += a[64 x 32 bytes] * b[kColumns x 32 bytes]; starts from zero when @p adds is
/// 0.
template <class In, int kColumns>
struct GroupMma;

// An instruction of N columns names N / 2 registers one by one: these lists write them out.
// Operands of the array d, and the places %0, %1, ... that stand for them.
#define DLAEXEC_D8(c, i) \
  c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3]), c(d[i + 4]), c(d[i + 5]), c(d[i + 6]), c(d[i + 7])
#define DLAEXEC_D16(c, i) DLAEXEC_D8(c, i), DLAEXEC_D8(c, i + 8)
#define DLAEXEC_D32(c, i) DLAEXEC_D16(c, i), DLAEXEC_D16(c, i + 16)
#define DLAEXEC_D64(c, i) DLAEXEC_D32(c, i), DLAEXEC_D32(c, i + 32)
#define DLAEXEC_D128(c, i) DLAEXEC_D64(c, i), DLAEXEC_D64(c, i + 64)
#define DLAEXEC_TEN(t)                                                                   \
  "%" #t "0, %" #t "1, %" #t "2, %" #t "3, %" #t "4, %" #t "5, %" #t "6, %" #t "7, %" #t \
  "8, "                                                                                  \
  "%" #t "9"
#define DLAEXEC_PLACES16 DLAEXEC_TEN() ", %10, %11, %12, %13, %14, %15"
#define DLAEXEC_PLACES32 DLAEXEC_TEN() ", " DLAEXEC_TEN(1) ", " DLAEXEC_TEN(2) ", %30, %31"
#define DLAEXEC_PLACES64                                                        \
  DLAEXEC_TEN()                                                                 \
  ", " DLAEXEC_TEN(1) ", " DLAEXEC_TEN(2) ", " DLAEXEC_TEN(3) ", " DLAEXEC_TEN( \
      4) ", " DLAEXEC_TEN(5) ", %60, %61, %62, %63"
#define DLAEXEC_PLACES128 \
  DLAEXEC_TEN() ", " DLAEXEC_TEN(1) ", " DLAEXEC_TEN(2) ", " DLAEXEC_TEN(3) ", "           \
  DLAEXEC_TEN(4) ", " DLAEXEC_TEN(5) ", " DLAEXEC_TEN(6) ", " DLAEXEC_TEN(7) ", "          \
  DLAEXEC_TEN(8) ", " DLAEXEC_TEN(9) ", " DLAEXEC_TEN(10) ", " DLAEXEC_TEN(11) ", "        \
  "%120, %121, %122, %123, %124, %125, %126, %127"

#define DLAEXEC_GROUP_MMA(In, Sum, constraint, kColumns, kRegisters, instruction, scales, a_at,   \
                          b_at, adds_at)                                                          \
  template <>                                                                                     \
  struct GroupMma<In, kColumns> {                                                                 \
    static __device__ __forceinline__ void run(Sum (&d)[kRegisters], unsigned long long a,        \
                                               unsigned long long b, int adds) {                  \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #adds_at                                  \
                   ", 0;\n"                                                                       \
                   "wgmma.mma_async.sync.aligned.m64n" #kColumns instruction                      \
                   " {" DLAEXEC_PLACES##kRegisters "}, %" #a_at ", %" #b_at ", p" scales ";\n}\n" \
                   : DLAEXEC_D##kRegisters(constraint, 0)                                         \
                   : "l"(a), "l"(b), "r"(adds));                                                  \
    }                                                                                             \
  };
#define DLAEXEC_GROUP_MMA_OF(kColumns, kRegisters, ...)                                         \
  DLAEXEC_GROUP_MMA(half, float, "+f", kColumns, kRegisters, "k16.f32.f16.f16", ", 1, 1, 0, 0", \
                    __VA_ARGS__)                                                                \
  DLAEXEC_GROUP_MMA(signed char, int, "+r", kColumns, kRegisters, "k32.s32.s8.s8", "", __VA_ARGS__)

DLAEXEC_GROUP_MMA_OF(32, 16, 16, 17, 18)
DLAEXEC_GROUP_MMA_OF(64, 32, 32, 33, 34)
DLAEXEC_GROUP_MMA_OF(128, 64, 64, 65, 66)
DLAEXEC_GROUP_MMA_OF(256, 128, 128, 129, 130)

#undef DLAEXEC_GROUP_MMA_OF
#undef DLAEXEC_GROUP_MMA
#undef DLAEXEC_PLACES128
#undef DLAEXEC_PLACES64
#undef DLAEXEC_PLACES32
#undef DLAEXEC_PLACES16
#undef DLAEXEC_TEN
#undef DLAEXEC_D128
#undef DLAEXEC_D64
#undef DLAEXEC_D32
#undef DLAEXEC_D16
#undef DLAEXEC_D8
#endif
