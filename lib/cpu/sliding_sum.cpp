#include "cpu/sliding_sum.h"

#include <algorithm>

namespace dlaexec::cpu {

void SlidingSum::run(const float* from, const float* residual, float* to, ThreadPool& pool) const {
  const Tasks tasks =
      split_work({panels.count(), strips.count(), panels.bytes(), input_bytes}, pool.size());
  pool.parallel_for(tasks.count(),
                    [&](int64_t i) { run_task(strips, tasks.at(i), from, residual, to); });
}

void SlidingSum::run_task(const Strips& positions, const Task& task, const float* from,
                          const float* residual, float* to) const {
  Tile tile{};
  tile.chunks = chunks.data();
  tile.chunk_count = static_cast<int64_t>(chunks.size());
  tile.row_step = input.x;
  tile.output_row_step = output.x;
  tile.output_block_step = output_block;
  tile.low = epilogue.low;
  tile.high = epilogue.high;
  for (int64_t first = task.first_strip; first < task.last_strip; first += task.strips_at_once) {
    const int64_t last = std::min(task.last_strip, first + task.strips_at_once);
    for (int64_t p = task.first_panel; p < task.last_panel; ++p) {
      const Panel& panel = panels.panels[static_cast<size_t>(p)];
      tile.weights = panels.weights.data() + panel.weights;
      tile.bias = panels.bias.data() + panel.first_block * kBlock;
      // After the last panel the first comes again, with the next strips.
      const Panel& next =
          panels.panels[static_cast<size_t>(p + 1 < task.last_panel ? p + 1 : task.first_panel)];
      for (int64_t s = first; s < last; ++s) {
        const Strip strip = positions.at(s);
        fetch_share(panels, next, s - first, last - first, tile);
        tile.input =
            from + panel.group * input_group + input.origin + strip.y * input.y + strip.x * input.x;
        const int64_t at = panel.first_block * output_block + output.origin + strip.y * output.y +
                           strip.x * output.x;
        tile.output = to + at;
        if (residual != nullptr) tile.residual = residual + at;
        tiles->find(row_step, strip.width, panel.blocks)(tile);
        if (epilogue.has_more()) finish(to + at, strip.width, panel.blocks);
      }
    }
  }
}

void SlidingSum::finish(float* to, int width, int blocks) const {
  for (int b = 0; b < blocks; ++b, to += output_block) {
    if (output.x == kBlock) {
      epilogue.finish(to, width * kBlock);
      continue;
    }
    for (int i = 0; i < width; ++i) epilogue.finish(to + i * output.x, kBlock);
  }
}

}  // namespace dlaexec::cpu
