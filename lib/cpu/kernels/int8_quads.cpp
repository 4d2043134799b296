// Tiles of Quads: the 8-bit dot products that Highway 1.0.3 does not know, in intrinsics.
#include "cpu/kernels/int8.h"

#if defined(__x86_64__) || defined(__aarch64__)

#include <array>
#include <utility>

#pragma GCC push_options

#if defined(__x86_64__)
#include <immintrin.h>
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
#else
#include <arm_neon.h>
#pragma GCC target("arch=armv8.2-a+dotprod")
#endif

namespace dlaexec::cpu {
namespace {

#if defined(__x86_64__)

/// 16 sums with AVX-512 VNNI, whose dot product is of unsigned by signed bytes.
struct Sums {
  static constexpr Isa kIsa = Isa::Avx512;
  static constexpr int kMostRows = 14, kMostBlocks = 2;
  static constexpr uint8_t kZero = 128;
  using Weights = __m512i;

  Sums() : sums(_mm512_setzero_si512()) {}

  static bool is_usable() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512vnni");
  }
  static Weights load(const int8_t* weights) { return _mm512_loadu_si512(weights); }
  static __m512i spread(int32_t four) { return _mm512_set1_epi32(four); }
  void add(__m512i input, Weights weights) { sums = _mm512_dpbusd_epi32(sums, input, weights); }
  void store(int32_t* to) const { _mm512_storeu_si512(to, sums); }

  __m512i sums;
};

#else

/// 16 sums with NEON's SDOT, a dot product of signed bytes.
struct Sums {
  static constexpr Isa kIsa = Isa::NeonDot;
  static constexpr int kMostRows = 6, kMostBlocks = 1;
  static constexpr uint8_t kZero = 0;
  struct Weights {
    int8x16_t part[4];
  };

  int32x4_t part[4] = {};

  static bool is_usable() { return true; }  // what the instruction set stands for
  static Weights load(const int8_t* from) {
    return {{vld1q_s8(from), vld1q_s8(from + 16), vld1q_s8(from + 32), vld1q_s8(from + 48)}};
  }
  static int8x16_t spread(int32_t four) { return vreinterpretq_s8_s32(vdupq_n_s32(four)); }
  void add(int8x16_t input, const Weights& weights) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) part[i] = vdotq_s32(part[i], weights.part[i], input);
  }
  void store(int32_t* to) const {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) vst1q_s32(to + 4 * i, part[i]);
  }
};

#endif

template <int kRows, int kBlocks>
void run_quads(const Int8Tile& tile) {
  Sums sums[kRows][kBlocks];
  const auto* weights = static_cast<const int8_t*>(tile.weights);
  for (int64_t c = 0; c < tile.chunk_count; ++c) {
    const int8_t* base = static_cast<const int8_t*>(tile.input) + tile.chunks[c];
    for (const int8_t* end = base + tile.chunk_terms; base != end; base += 4) {
      Sums::Weights weight[kBlocks];
#pragma GCC unroll 2
      for (int b = 0; b < kBlocks; ++b) weight[b] = Sums::load(weights + b * 64);
      weights += kBlocks * 64;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        int32_t four;
        __builtin_memcpy(&four, base + r * tile.row_step, sizeof four);
        const auto input = Sums::spread(four);
#pragma GCC unroll 2
        for (int b = 0; b < kBlocks; ++b) sums[r][b].add(input, weight[b]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int b = 0; b < kBlocks; ++b) sums[r][b].store(tile.sums + (r * kBlocks + b) * 16);
}

template <int kBlocks, int... kIndex>
constexpr std::array<Int8TileKernel, sizeof...(kIndex)> by_rows(
    std::integer_sequence<int, kIndex...>) {
  return {&run_quads<kIndex + 1, kBlocks>...};
}

Int8TileKernel find_quads(int rows, int blocks) {
  using Rows = std::make_integer_sequence<int, Sums::kMostRows>;
  static constexpr auto kOne = by_rows<1>(Rows{});
  static constexpr auto kMost = by_rows<Sums::kMostBlocks>(Rows{});
  return (blocks == 1 ? kOne : kMost)[static_cast<size_t>(rows - 1)];
}

}  // namespace

std::optional<Int8Tiles> dot_product_tiles(Isa isa) {
  if (isa != Sums::kIsa || !Sums::is_usable()) return std::nullopt;
  return Int8Tiles{Int8Order::Quads,  Sums::kZero, Sums::kMostRows,
                   Sums::kMostBlocks, 16,          &find_quads};
}

}  // namespace dlaexec::cpu

#pragma GCC pop_options

#else

namespace dlaexec::cpu {

std::optional<Int8Tiles> dot_product_tiles(Isa) { return std::nullopt; }

}  // namespace dlaexec::cpu

#endif
