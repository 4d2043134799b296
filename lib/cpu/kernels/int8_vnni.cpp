// Highway 1.0.3 knows no VNNI, so these tiles are written in intrinsics.
#include "cpu/kernels/int8.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>
#include <utility>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")

namespace dlaexec::cpu {
namespace {

template <int kRows, int kBlocks>
void run_quads(const Int8Tile& tile) {
  __m512i sums[kRows][kBlocks];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int b = 0; b < kBlocks; ++b) sums[r][b] = _mm512_setzero_si512();
  const auto* weights = static_cast<const int8_t*>(tile.weights);
  for (int64_t c = 0; c < tile.chunk_count; ++c) {
    const uint8_t* base = static_cast<const uint8_t*>(tile.input) + tile.chunks[c];
    for (int64_t quad = 0; quad < kChunkTerms / 4; ++quad, base += 4) {
      __m512i weight[kBlocks];
#pragma GCC unroll 2
      for (int b = 0; b < kBlocks; ++b) weight[b] = _mm512_loadu_si512(weights + b * 64);
      weights += kBlocks * 64;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        int four;
        __builtin_memcpy(&four, base + r * tile.row_step, sizeof four);
        const __m512i input = _mm512_set1_epi32(four);
#pragma GCC unroll 2
        for (int b = 0; b < kBlocks; ++b)
          sums[r][b] = _mm512_dpbusd_epi32(sums[r][b], input, weight[b]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
    for (int b = 0; b < kBlocks; ++b)
      _mm512_storeu_si512(tile.sums + (r * kBlocks + b) * 16, sums[r][b]);
}

template <int kBlocks, int... kIndex>
constexpr std::array<Int8TileKernel, sizeof...(kIndex)> by_rows(
    std::integer_sequence<int, kIndex...>) {
  return {&run_quads<kIndex + 1, kBlocks>...};
}

Int8TileKernel find_quads(int rows, int blocks) {
  using Rows = std::make_integer_sequence<int, kMostVnniRows>;
  static constexpr auto kOne = by_rows<1>(Rows{});
  static constexpr auto kTwo = by_rows<2>(Rows{});
  return (blocks == 1 ? kOne : kTwo)[static_cast<size_t>(rows - 1)];
}

}  // namespace

Int8TileKernel (*vnni_tiles())(int rows, int blocks) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512vnni") ? &find_quads : nullptr;
}

}  // namespace dlaexec::cpu

#pragma GCC pop_options

#else

namespace dlaexec::cpu {

Int8TileKernel (*vnni_tiles())(int rows, int blocks) { return nullptr; }

}  // namespace dlaexec::cpu

#endif
