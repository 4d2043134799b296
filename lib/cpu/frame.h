// Images copied into a frame of zeros, so that windows over them meet no edge.
#pragma once

#include <algorithm>

#include "base/thread_pool.h"
#include "cpu/layout.h"

namespace dlaexec::cpu {

/// Planes of rows of cells, a cell being one pixel's block of channels or one number, with zeros
/// around them.
struct Frame {
  int64_t planes = 1, input_height = 1, input_width = 1,
          cell = 1;               ///< of the image; cell in elements
  int64_t top = 0, left = 0;      ///< zeros before; negative: cells left out
  int64_t height = 1, width = 1;  ///< zeros included

  int64_t plane() const { return height * width * cell; }
  int64_t elements() const { return planes * plane(); }
  int64_t bytes() const { return elements() * 4; }
  /// Whether the image is its own frame.
  bool is_image() const {
    return top == 0 && left == 0 && height <= input_height && width == input_width;
  }
  void copy(const float* image, float* framed, ThreadPool& pool) const;

  /// Makes the frame row by row, on all threads: fill(to, count) where zeros go, convert(from, to,
  /// count) for cells of the image; offsets and counts in elements.
  template <class Fill, class Convert>
  void make(ThreadPool& pool, Fill&& fill, Convert&& convert) const;
};

template <class Fill, class Convert>
void Frame::make(ThreadPool& pool, Fill&& fill, Convert&& convert) const {
  const int64_t row = width * cell;
  const int64_t skipped = std::max<int64_t>(0, -left);
  const int64_t before = std::max<int64_t>(0, left);
  const int64_t inner = std::clamp<int64_t>(input_width - skipped, 0, width - before);
  const int64_t grain = std::max<int64_t>(1, 16 * 1024 / row);
  pool.parallel_ranges(planes * height, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t to = i * row;
      const int64_t y = i % height - top;
      if (y < 0 || y >= input_height) {
        fill(to, row);
        continue;
      }
      const int64_t from = ((i / height * input_height + y) * input_width + skipped) * cell;
      fill(to, before * cell);
      convert(from, to + before * cell, inner * cell);
      fill(to + (before + inner) * cell, (width - before - inner) * cell);
    }
  });
}

}  // namespace dlaexec::cpu
