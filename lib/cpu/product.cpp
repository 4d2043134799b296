#include "cpu/product.h"

#include <algorithm>

namespace dlaexec::cpu {
namespace {

constexpr int kMostRows = 16;     // no instruction set has taller tiles
constexpr int kMostOutputs = 32;  // nor wider ones

/// Rows a multiple of this far apart fall into the same few places of the first-level cache and
/// push each other out.
constexpr int64_t kBadStep = 1024;

}  // namespace

int64_t Product::scratch_bytes(int64_t rows) const {
  const bool copies = terms % kBadStep == 0 && rows > 4;
  return copies ? rows * (terms + kBlock) * 4 : 0;
}

void Product::run(MatrixView matrix, float* scratch, ThreadPool& pool) const {
  if (scratch_bytes(matrix.rows) > 0) {
    const int64_t step = terms + kBlock;
    pool.parallel_ranges(matrix.rows, 4, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        std::copy_n(matrix.input + i * matrix.input_step, terms, scratch + i * step);
    });
    matrix.input = scratch;
    matrix.input_step = step;
  }
  const Strips strips(1, matrix.rows, tiles->most_rows);
  const Tasks tasks = split_work(
      {panels.count(), strips.count(), panels.bytes(), matrix.rows * terms * 4}, pool.size());
  pool.parallel_for(tasks.count(), [&](int64_t i) { run_task(matrix, strips, tasks.at(i)); });
}

void Product::run_task(const MatrixView& matrix, const Strips& strips, const Task& task) const {
  const Chunk chunk{0, terms};
  Tile tile{};
  tile.chunks = &chunk;
  tile.chunk_count = 1;
  tile.row_step = matrix.input_step;
  tile.low = epilogue.low;
  tile.high = epilogue.high;
  alignas(64) float edge[kMostRows * kMostOutputs];
  alignas(64) float edge_residual[kMostRows * kMostOutputs] = {};

  for (int64_t first = task.first_strip; first < task.last_strip; first += task.strips_at_once) {
    const int64_t last = std::min(task.last_strip, first + task.strips_at_once);
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const Panel& panel = panels.panels[static_cast<size_t>(p)];
      const int64_t column = panel.first_block * kBlock;
      const int64_t width = std::min(panel.blocks * kBlock, outputs - column);
      const bool is_whole = width == panel.blocks * kBlock;
      tile.weights = panels.weights.data() + panel.weights;
      tile.bias = panels.bias.data() + column;
      // After the last panel the first comes again, with the next strips.
      const Panel& next =
          panels.panels[static_cast<size_t>(p + 1 < task.last_panel ? p + 1 : task.first_panel)];
      for (int64_t s = first; s < last; ++s) {
        const Strip strip = strips.at(s);
        fetch_share(panels, next, s - first, last - first, tile);
        const int64_t at = strip.x * outputs + column;
        tile.input = matrix.input + strip.x * matrix.input_step;
        tile.residual = nullptr;
        if (is_whole) {
          tile.output = matrix.output + at;
          tile.output_row_step = outputs;
          tile.output_block_step = kBlock;
          if (matrix.residual != nullptr) tile.residual = matrix.residual + at;
        } else {  // a tile past the matrix's edge is made aside
          tile.output = edge;
          tile.output_row_step = panel.blocks * kBlock;
          tile.output_block_step = kBlock;
          if (matrix.residual != nullptr) {
            tile.residual = edge_residual;
            for (int r = 0; r < strip.width; ++r)
              std::copy_n(matrix.residual + at + r * outputs, width,
                          edge_residual + r * panel.blocks * kBlock);
          }
        }
        tiles->find(RowStep::Any, strip.width, panel.blocks)(tile);
        for (int r = 0; r < strip.width; ++r) {
          float* row = tile.output + r * tile.output_row_step;
          if (epilogue.has_more()) epilogue.finish(row, width);
          if (!is_whole) std::copy_n(row, width, matrix.output + at + r * outputs);
        }
      }
    }
  }
}

}  // namespace dlaexec::cpu
