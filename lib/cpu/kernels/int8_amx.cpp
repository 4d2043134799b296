// Tiles of Quads by AMX: 16 rows by 16 outputs by 64 terms an instruction.
#include "cpu/kernels/int8.h"

#if defined(__x86_64__) && __GNUC__ >= 11

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <utility>

#pragma GCC push_options
#pragma GCC target("amx-tile,amx-int8")

namespace dlaexec::cpu {
namespace {

constexpr int kTileRows = 16;
constexpr int kMostRows = 2 * kTileRows, kMostBlocks = 2;
constexpr int64_t kTileTerms = 64;

// The tiles: sums of [rows / 16][blocks], then inputs, then weights.
constexpr int kInputs = 4, kWeights = 6;

/// What LDTILECFG reads.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

/// The shapes that this thread's tiles have; zeros after a release.
struct Shaped {
  int rows = 0;
  int64_t terms = 0;
};
thread_local Shaped shaped;

void shape_tiles(int rows, int64_t terms) {
  if (shaped.rows == rows && shaped.terms == terms) return;
  TileShapes shapes;
  const auto set = [&](int tile, int tile_rows, int64_t bytes) {
    shapes.rows[tile] = static_cast<uint8_t>(tile_rows);
    shapes.row_bytes[tile] = static_cast<uint16_t>(bytes);
  };
  for (int half = 0; half < 2; ++half) {
    const int tile_rows = half == 0 ? std::min(rows, kTileRows) : std::max(rows - kTileRows, 1);
    for (int block = 0; block < kMostBlocks; ++block) set(half * 2 + block, tile_rows, 64);
    set(kInputs + half, tile_rows, terms);
    set(kWeights + half, static_cast<int>(terms / 4), 64);
  }
  __asm__ volatile("" ::: "memory");  // the intrinsic does not say that it reads all of them
  _tile_loadconfig(&shapes);
  shaped = {rows, terms};
}

template <int kRows, int kBlocks>
void run_tiles(const Int8Tile& tile) {
  constexpr bool kBoth = kRows > kTileRows;
  shape_tiles(kRows, tile.chunk_terms);
  _tile_zero(0);
  if constexpr (kBlocks == 2) _tile_zero(1);
  if constexpr (kBoth) _tile_zero(2);
  if constexpr (kBoth && kBlocks == 2) _tile_zero(3);
  constexpr int64_t kWeightStep = kBlocks * 64;  // bytes for four terms
  const auto* weights = static_cast<const int8_t*>(tile.weights);
  for (int64_t c = 0; c < tile.chunk_count; ++c, weights += tile.chunk_terms / 4 * kWeightStep) {
    const int8_t* input = static_cast<const int8_t*>(tile.input) + tile.chunks[c];
    _tile_loadd(4, input, tile.row_step);
    _tile_loadd(6, weights, kWeightStep);
    _tile_dpbssd(0, 4, 6);
    if constexpr (kBlocks == 2) {
      _tile_loadd(7, weights + 64, kWeightStep);
      _tile_dpbssd(1, 4, 7);
    }
    if constexpr (kBoth) {
      _tile_loadd(5, input + kTileRows * tile.row_step, tile.row_step);
      _tile_dpbssd(2, 5, 6);
      if constexpr (kBlocks == 2) _tile_dpbssd(3, 5, 7);
    }
  }
  constexpr int kStep = kBlocks * 16;
  int32_t* second = tile.sums + kTileRows * kStep;
  _tile_stored(0, tile.sums, kStep * 4);
  if constexpr (kBlocks == 2) _tile_stored(1, tile.sums + 16, kStep * 4);
  if constexpr (kBoth) _tile_stored(2, second, kStep * 4);
  if constexpr (kBoth && kBlocks == 2) _tile_stored(3, second + 16, kStep * 4);
}

template <int kBlocks, int... kIndex>
constexpr std::array<Int8TileKernel, sizeof...(kIndex)> by_rows(
    std::integer_sequence<int, kIndex...>) {
  return {&run_tiles<kIndex + 1, kBlocks>...};
}

Int8TileKernel find_tiles(int rows, int blocks) {
  using Rows = std::make_integer_sequence<int, kMostRows>;
  static constexpr auto kOne = by_rows<1>(Rows{});
  static constexpr auto kTwo = by_rows<2>(Rows{});
  return (blocks == 1 ? kOne : kTwo)[static_cast<size_t>(rows - 1)];
}

/// Threads that are done keep no tiles, which every change of threads would save.
void release_tiles() {
  _tile_release();
  shaped = {};
}

}  // namespace

std::optional<Int8Tiles> amx_tiles(Isa isa) {
  if (isa != Isa::Amx) return std::nullopt;
  return Int8Tiles{Int8Order::Quads, 0,           kMostRows,     kMostBlocks,
                   kTileTerms,       &find_tiles, &release_tiles};
}

}  // namespace dlaexec::cpu

#pragma GCC pop_options

#else

namespace dlaexec::cpu {

std::optional<Int8Tiles> amx_tiles(Isa) { return std::nullopt; }

}  // namespace dlaexec::cpu

#endif
