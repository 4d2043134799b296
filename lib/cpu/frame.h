// Images copied into a frame of zeros, so that windows over them meet no edge.
#pragma once

#include "base/thread_pool.h"
#include "cpu/layout.h"

namespace dlaexec::cpu {

/// Planes of rows of cells, a cell being one pixel's block of channels or one number, with zeros
/// around them.
struct Frame {
  int64_t planes = 1, input_height = 1, input_width = 1,
          cell = 1;               ///< of the image; cell in floats
  int64_t top = 0, left = 0;      ///< zeros before; negative: cells left out
  int64_t height = 1, width = 1;  ///< zeros included

  int64_t plane() const { return height * width * cell; }
  int64_t bytes() const { return planes * plane() * 4; }
  /// Whether the image is its own frame.
  bool is_image() const {
    return top == 0 && left == 0 && height <= input_height && width == input_width;
  }
  void copy(const float* image, float* framed, ThreadPool& pool) const;
};

}  // namespace dlaexec::cpu
