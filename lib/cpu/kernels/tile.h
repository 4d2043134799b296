// The kernel under convolutions and matrix products: one register tile of outputs.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace dlaexec::cpu {

/// A run of the sum's terms that lie side by side in the input.
struct Chunk {
  int64_t offset;  ///< elements from Tile::input
  int64_t depth;   ///< terms
};

/// What is done to each sum before it is stored: + bias, + residual, into [low, high].
/// @{
struct Tile {
  const float* input;  ///< the first row's first term; a row is an output pixel or matrix row
  const Chunk* chunks;
  int64_t chunk_count;
  int64_t row_step;      ///< elements between the inputs of neighbouring rows; kernels with a fixed
                         ///< step ignore it
  const float* weights;  ///< packed: for each term in order, blocks * 16 outputs
  const float* bias;     ///< blocks * 16, or null
  const float* residual;  ///< laid out as output, or null
  float* output;
  int64_t output_row_step;
  int64_t output_block_step;
  float low, high;
  /// What a later tile needs is asked for on the way: one address a term, this far apart.
  const char* fetch;
  int64_t fetch_step;  ///< bytes
};
/// @}

/// How inputs of neighbouring rows lie: as Blocked pixels at stride 1 or 2, side by side, every
/// second element, or as Tile::row_step says.
enum class RowStep : uint8_t { Block, TwoBlocks, One, Two, Any };

using TileKernel = void (*)(const Tile&);

/// What register tiles an instruction set has.
struct TileKernels {
  int most_rows;    ///< for every RowStep and number of blocks
  int most_blocks;  ///< blocks of 16 outputs side by side: 1 or 2
  /// The kernel for 1 <= rows <= most_rows and 1 <= blocks <= most_blocks.
  TileKernel (*find)(RowStep step, int rows, int blocks);
};

const TileKernels& tile_kernels(Isa isa);

}  // namespace dlaexec::cpu
