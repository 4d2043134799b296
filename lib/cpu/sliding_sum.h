// Sums of products at every position of an image, in register tiles: what direct convolutions of
// all kinds come down to.
#pragma once

#include <vector>

#include "cpu/epilogue.h"
#include "cpu/tiling.h"

namespace dlaexec::cpu {

/// Steps in floats between what belongs to neighbouring positions.
struct Steps {
  int64_t origin = 0, y = 0, x = 0;
};

/// One sum per position and output channel. The input must be laid out so that a sum's terms lie
/// at the same distances from its position everywhere: edges are in the input as zeros.
struct SlidingSum {
  Strips strips;              ///< the positions
  std::vector<Chunk> chunks;  ///< the terms of one group's sum
  Panels panels;
  Steps input;
  RowStep row_step = RowStep::Any;  ///< what input.x is
  int64_t input_group = 0;          ///< floats between groups
  int64_t input_bytes = 0;          ///< of all groups, for cutting into tasks
  Steps output;                     ///< residuals lie like the output
  int64_t output_block = 0;         ///< floats between blocks of channels
  Epilogue epilogue;
  const TileKernels* tiles = nullptr;

  void run(const float* from, const float* residual, float* to, ThreadPool& pool) const;
  /// One task of it on this thread, for positions cut into @p positions.
  void run_task(const Strips& positions, const Task& task, const float* from, const float* residual,
                float* to) const;

 private:
  void finish(float* to, int width, int blocks) const;
};

}  // namespace dlaexec::cpu
