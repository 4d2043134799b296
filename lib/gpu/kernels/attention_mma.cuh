// The tensor-core products of attention_wgmma.cu, beside those of wgmma.cuh: scores of 112
// and 208 keys, and weights from registers times values. Needs sm_90a.
#pragma once
#include "tile.cuh"
#include "wgmma.cuh"

#if __CUDA_ARCH__ >= 900
// Operands of inline assembly are literals: ten of them, of which the first is 10 * t, and eight
// sums.
#define TEN(t)                                                                                     \
  "%" #t "0, %" #t "1, %" #t "2, %" #t "3, %" #t "4, %" #t "5, %" #t "6, %" #t "7, %" #t "8, %" #t \
  "9"
#define EIGHT_SUMS(i)                                                                         \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])

#define SCORES(keys, count, operands, sums, a_operand, b_operand, adds_operand)                 \
  template <>                                                                                   \
  struct GroupMma<half, keys> {                                                                 \
    static __device__ __forceinline__ void run(float (&d)[count], unsigned long long a,         \
                                               unsigned long long b, int adds) {                \
      asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" adds_operand                            \
                   ", 0;\nwgmma.mma_async.sync.aligned.m64n" #keys "k16.f32.f16.f16 {" operands \
                   "}, %" a_operand ", %" b_operand ", p, 1, 1, 0, 0;\n}\n"                     \
                   : sums                                                                       \
                   : "l"(a), "l"(b), "r"(adds));                                                \
    }                                                                                           \
  };
#define FORTY_SUMS EIGHT_SUMS(0), EIGHT_SUMS(8), EIGHT_SUMS(16), EIGHT_SUMS(24), EIGHT_SUMS(32)
#define COMMA ,
SCORES(112, 56,
       TEN() ", " TEN(1) ", " TEN(2) ", " TEN(3) ", " TEN(4) ", %50, %51, %52, %53, %54, %55",
       FORTY_SUMS COMMA EIGHT_SUMS(40) COMMA EIGHT_SUMS(48), "56", "57", "58")
SCORES(208, 104,
       TEN() ", " TEN(1) ", " TEN(2) ", " TEN(3) ", " TEN(4) ", " TEN(5) ", " TEN(6) ", " TEN(
           7) ", " TEN(8) ", " TEN(9) ", %100, %101, %102, %103",
       FORTY_SUMS COMMA EIGHT_SUMS(40) COMMA EIGHT_SUMS(48) COMMA EIGHT_SUMS(56)
           COMMA EIGHT_SUMS(64) COMMA EIGHT_SUMS(72) COMMA EIGHT_SUMS(80) COMMA EIGHT_SUMS(88)
               COMMA EIGHT_SUMS(96),
       "104", "105", "106")
#undef SCORES
#undef FORTY_SUMS
#undef COMMA

/// d[64 x 64] += a[64 x 16] * b[16 x 64]: a in registers as sums lie in them, b rows of 128 bytes,
/// one for each step of the sum; starts from zero when @p adds is 0.
__device__ __forceinline__ void add_weighted(float (&d)[32], const unsigned (&a)[4],
                                             unsigned long long b, int adds) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {" TEN() ", " TEN(1) ", " TEN(
          2) ", %30, %31}, {%32, %33, %34, %35}, %36, p, 1, 1, 1;\n}\n"
      : EIGHT_SUMS(0), EIGHT_SUMS(8), EIGHT_SUMS(16), EIGHT_SUMS(24)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(adds));
}
#undef TEN
#undef EIGHT_SUMS
#endif
