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

namespace {

/// A panel's part of a strip of rows; a tile past the matrix's last column is made aside.
class TileAside {
 public:
  TileAside(const MatrixView& matrix, int64_t outputs) : matrix_(matrix), outputs_(outputs) {}

  /// Where @p tile, at element @p at of the results, finds its residual and leaves its results.
  void place(Tile& tile, int64_t at, int rows, int64_t width, int64_t panel_width) {
    is_whole_ = width == panel_width;
    tile.output = is_whole_ ? matrix_.output + at : results_;
    tile.output_row_step = is_whole_ ? outputs_ : panel_width;
    tile.output_block_step = kBlock;
    tile.residual = nullptr;
    if (matrix_.residual == nullptr) return;
    tile.residual = is_whole_ ? matrix_.residual + at : residual_;
    for (int r = 0; !is_whole_ && r < rows; ++r)
      std::copy_n(matrix_.residual + at + r * outputs_, width, residual_ + r * panel_width);
  }

  /// What is left of the epilogue, and the way from aside to its place.
  void finish(const Tile& tile, int64_t at, int rows, int64_t width, const Epilogue& epilogue) {
    for (int r = 0; r < rows; ++r) {
      float* row = tile.output + r * tile.output_row_step;
      if (epilogue.has_more()) epilogue.finish(row, width);
      if (!is_whole_) std::copy_n(row, width, matrix_.output + at + r * outputs_);
    }
  }

 private:
  const MatrixView& matrix_;
  int64_t outputs_;
  bool is_whole_ = true;
  alignas(64) float results_[kMostRows * kMostOutputs];
  alignas(64) float residual_[kMostRows * kMostOutputs] = {};
};

}  // namespace

void Product::run_task(const MatrixView& matrix, const Strips& strips, const Task& task) const {
  const Chunk chunk{0, terms};
  Tile tile{};
  tile.chunks = &chunk;
  tile.chunk_count = 1;
  tile.row_step = matrix.input_step;
  tile.low = epilogue.low;
  tile.high = epilogue.high;
  TileAside aside(matrix, outputs);

  for (int64_t first = task.first_strip; first < task.last_strip; first += task.strips_at_once) {
    const int64_t last = std::min(task.last_strip, first + task.strips_at_once);
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const Panel& panel = panels.panels[static_cast<size_t>(p)];
      const int64_t column = panel.first_block * kBlock;
      const int64_t panel_width = panel.blocks * kBlock;
      const int64_t width = std::min(panel_width, outputs - column);
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
        aside.place(tile, at, strip.width, width, panel_width);
        tiles->find(RowStep::Any, strip.width, panel.blocks)(tile);
        aside.finish(tile, at, strip.width, width, epilogue);
      }
    }
  }
}

}  // namespace dlaexec::cpu
