// Int8 convolutions and matrix products: exact integer sums at every position, then real numbers.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cpu/epilogue.h"
#include "cpu/frame.h"
#include "cpu/kernels/int8.h"
#include "cpu/sliding_sum.h"
#include "cpu/tiling.h"

namespace dlaexec::cpu {

/// What the sums become: sum * factor + bias, one of each per output, in whole blocks of 16.
struct Int8Outputs {
  std::vector<double> factors, bias;
};

/// The terms of a chunk for sums of @p channels in each tap: as few chunks as the tiles allow.
int64_t chunk_terms_for(const Int8Tiles& tiles, int64_t channels);

/// One sum per position and output. Operands are floats that hold the real numbers of Int8 values;
/// they are turned into integers in a frame of scratch first.
struct Int8Sums {
  const Int8Kernels* kernels = nullptr;
  Frame frame;                  ///< of the input; a cell is a chunk of channels, or a matrix's row
  int64_t read_cell = 0;        ///< floats of a cell, if the frame's cells are longer
  int64_t group_blocks = 0;     ///< blocks of channels that a group's cells hold; of blocked images
  float scale = 1;              ///< of the input
  Strips strips;                ///< the positions
  std::vector<int64_t> chunks;  ///< where the terms of a group's sums lie
  int64_t chunk_terms = kBlock;
  std::vector<Panel> panels;
  std::vector<std::byte> weights;
  std::vector<int32_t> corrections;  ///< per output; empty: none
  int64_t outputs = 0;               ///< of one group
  Int8Outputs results;
  Steps input;              ///< terms between neighbouring positions
  int64_t input_group = 0;  ///< terms between groups
  Steps output;             ///< floats; residuals lie like the output
  int64_t output_block = 0;
  Epilogue epilogue;

  /// Packs integer weights as weight(group, output, term) gives them, terms in the chunks' order.
  void pack(const PanelSource& source);
  int64_t term_bytes() const { return kernels->tiles.order == Int8Order::Quads ? 1 : 2; }
  /// The last chunk may reach beyond the frame, where its weights are zero.
  int64_t scratch_bytes() const {
    return round_up((frame.elements() + chunk_terms) * term_bytes(), 64);
  }
  void run(const float* from, const float* residual, float* to, std::byte* scratch,
           ThreadPool& pool) const;

 private:
  void convert(const float* from, std::byte* scratch, ThreadPool& pool) const;
  void convert_terms(const float* from, std::byte* to, int64_t count) const;
  void run_task(const Task& task, const std::byte* terms, const float* residual, float* to) const;
  Int8Results results_of(int64_t block) const;
  void finish(const int32_t* sums, const Panel& panel, const Strip& strip, const float* residual,
              float* to) const;
};

/// The most terms whose sum always fits 32 bits, the offset of Quads included.
inline constexpr int64_t kMostInt8Terms = 65536;

/// Whether a value holds Int8 of one scale, which is not so small that its reciprocal is infinite.
bool has_int8_steps(const ir::Value& value);

/// The numbers of an input of whole Int8 steps: the scale of an activation, or of each output's
/// weights; nothing for values that are not constant Int8 of known scales.
std::optional<std::vector<float>> int8_weight_scales(const ir::Value& weights, int64_t outputs);

}  // namespace dlaexec::cpu
