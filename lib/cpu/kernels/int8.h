// Exact integer sums of Int8 products, and the way between floats and the integers they stand for.
#pragma once

#include <cstdint>
#include <optional>

#include "cpu/isa.h"

namespace dlaexec::cpu {

/// How integers lie for the register tiles.
///   Pairs  int16; weights in pairs of terms
///   Quads  bytes, Int8Kernels::zero above the integer; weights in fours of terms
enum class Int8Order : uint8_t { Pairs, Quads };

/// The sums of some rows (pixels, or rows of a matrix) for one or two blocks of 16 outputs.
struct Int8Tile {
  const void* input;      ///< the first row's first term
  const int64_t* chunks;  ///< where each chunk begins, in terms from input
  int64_t chunk_count;
  int64_t chunk_terms;  ///< of each: a multiple of 16
  int64_t row_step;     ///< terms between the inputs of neighbouring rows
  const void* weights;  ///< for each pair or four of terms in order: all outputs
  int32_t* sums;        ///< [rows][blocks * 16]
};

/// From the sums of one block of outputs to real numbers:
/// (sum + correction) * factor + bias + residual, into [low, high].
struct Int8Results {
  int rows;
  int64_t sums_step;          ///< elements between the sums of neighbouring rows
  const int32_t* correction;  ///< 16; null: zeros
  const double* factor;       ///< 16
  const double* bias;         ///< 16
  const float* residual;      ///< as output, or null
  float low, high;
  float* output;
  int64_t output_step;  ///< floats between the outputs of neighbouring rows
};

using Int8TileKernel = void (*)(const Int8Tile&);

/// What register tiles there are.
struct Int8Tiles {
  Int8Order order;
  uint8_t zero;  ///< the term that stands for 0: 128 where dot products take unsigned inputs
  int most_rows, most_blocks;
  int64_t most_chunk_terms;
  /// The kernel for 1 <= rows <= most_rows and 1 <= blocks <= most_blocks.
  Int8TileKernel (*find)(int rows, int blocks);
  void (*release)() = nullptr;  ///< for a thread that is done with tiles; may be null
};

struct Int8Kernels {
  Int8Tiles tiles;
  void (*finish)(const int32_t* sums, const Int8Results& results);
  /// The same for sums that lie as whole floats, perhaps where the results go.
  void (*finish_whole)(const float* sums, const Int8Results& results);
  /// The steps q of real numbers q * scale, in [-128, 127]: as int16, as bytes with zero added, as
  /// float.
  void (*to_pairs)(float scale, const float* from, int16_t* to, int64_t count);
  void (*to_quads)(float scale, uint8_t zero, const float* from, uint8_t* to, int64_t count);
  /// Blocks of 16 as bytes, from one cell of @p cell bytes to the next; zero is 0.
  void (*to_cells)(float scale, const float* from, uint8_t* to, int64_t blocks, int64_t cell);
  void (*to_whole)(float scale, const float* from, float* to, int64_t count);
};

/// The best kernels for a set of vector instructions on this machine.
const Int8Kernels& int8_kernels(Isa isa);

/// Tiles of Quads by 8-bit dot products: AVX-512's VNNI, NEON's SDOT. Nothing where the instruction
/// set, the machine or the build has none.
std::optional<Int8Tiles> dot_product_tiles(Isa isa);

/// Tiles of Quads by AMX's products of matrices; nothing for other instruction sets.
std::optional<Int8Tiles> amx_tiles(Isa isa);

}  // namespace dlaexec::cpu
