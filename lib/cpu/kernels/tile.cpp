#include "cpu/kernels/tile.h"

#include <algorithm>
#include <array>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/tile.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/float_vector-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

// 32 registers hold 14 x 2 sums, 2 weights and an input; 16 hold 6 x 2, 2 and an input.
constexpr int kMostRows = kLanes == 16 ? 14 : 6;
constexpr int kMostBlocks = kLanes == 16 ? 2 : 1;

constexpr int64_t fixed_step(RowStep step) {
  constexpr int64_t kSteps[] = {16, 32, 1, 2, 0};
  return kSteps[static_cast<int>(step)];
}

/// Bias, residual, limits, and away.
template <int kRows, int kVectors>
HWY_INLINE void store(const Tile& tile, Vector (&sums)[kRows][kVectors]) {
  const Floats d;
  if (tile.bias != nullptr) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const Vector bias = hn::LoadU(d, tile.bias + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) sums[r][v] = hn::Add(sums[r][v], bias);
    }
  }
  const Vector low = hn::Set(d, tile.low);
  const Vector high = hn::Set(d, tile.high);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const int64_t at = r * tile.output_row_step +
                         (v / kVectorsPerBlock) * tile.output_block_step +
                         (v % kVectorsPerBlock) * kLanes;
      Vector sum = sums[r][v];
      if (tile.residual != nullptr) sum = hn::Add(sum, hn::LoadU(d, tile.residual + at));
      sum = between(low, high, sum);
      hn::StoreU(sum, d, tile.output + at);
    }
  }
}

template <RowStep kStep, int kRows, int kBlocks>
void run_tile(const Tile& tile) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  const Floats d;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);

  const int64_t step = kStep == RowStep::Any ? tile.row_step : fixed_step(kStep);
  const float* HWY_RESTRICT weights = tile.weights;
  const char* fetch = tile.fetch;
  for (const Chunk *chunk = tile.chunks, *end = chunk + tile.chunk_count; chunk != end; ++chunk) {
    const float* HWY_RESTRICT base = tile.input + chunk->offset;
    for (const float* stop = base + chunk->depth; base != stop; ++base) {
      Vector weight[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, weights + v * kLanes);
      weights += kVectors * kLanes;
      __builtin_prefetch(fetch, 0, 2);
      fetch += tile.fetch_step;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const Vector input = hn::Set(d, base[r * step]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(input, weight[v], sums[r][v]);
      }
    }
  }
  store(tile, sums);
}

template <RowStep kStep, int kBlocks, int... kIndex>
constexpr std::array<TileKernel, sizeof...(kIndex)> by_rows(std::integer_sequence<int, kIndex...>) {
  return {&run_tile<kStep, kIndex + 1, kBlocks>...};
}

template <RowStep kStep>
TileKernel find_for(int rows, int blocks) {
  using Rows = std::make_integer_sequence<int, kMostRows>;
  static constexpr auto kOne = by_rows<kStep, 1>(Rows{});
  static constexpr auto kTwo = by_rows<kStep, kMostBlocks>(Rows{});
  return (blocks == 1 ? kOne : kTwo)[static_cast<size_t>(rows - 1)];
}

TileKernel find(RowStep step, int rows, int blocks) {
  switch (step) {
    case RowStep::Block:
      return find_for<RowStep::Block>(rows, blocks);
    case RowStep::TwoBlocks:
      return find_for<RowStep::TwoBlocks>(rows, blocks);
    case RowStep::One:
      return find_for<RowStep::One>(rows, blocks);
    case RowStep::Two:
      return find_for<RowStep::Two>(rows, blocks);
    case RowStep::Any:
      return find_for<RowStep::Any>(rows, blocks);
  }
  __builtin_unreachable();
}

}  // namespace

extern const TileKernels kTileKernels;
const TileKernels kTileKernels{kMostRows, kMostBlocks, &find};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {

const TileKernels& tile_kernels(Isa isa) { return DLAEXEC_FOR_ISA(isa, kTileKernels); }

}  // namespace dlaexec::cpu
#endif
