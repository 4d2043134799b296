#include "cpu/frame.h"

#include <algorithm>

namespace dlaexec::cpu {

void Frame::copy(const float* image, float* framed, ThreadPool& pool) const {
  const int64_t row = width * cell;
  const int64_t skipped = std::max<int64_t>(0, -left);
  const int64_t before = std::max<int64_t>(0, left);
  const int64_t inner = std::clamp<int64_t>(input_width - skipped, 0, width - before);
  const int64_t grain = std::max<int64_t>(1, 16 * 1024 / row);
  pool.parallel_ranges(planes * height, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      float* to = framed + i * row;
      const int64_t y = i % height - top;
      if (y < 0 || y >= input_height) {
        std::fill_n(to, row, 0.0f);
        continue;
      }
      const float* from = image + ((i / height * input_height + y) * input_width + skipped) * cell;
      std::fill_n(to, before * cell, 0.0f);
      std::copy_n(from, inner * cell, to + before * cell);
      std::fill_n(to + (before + inner) * cell, (width - before - inner) * cell, 0.0f);
    }
  });
}

}  // namespace dlaexec::cpu
