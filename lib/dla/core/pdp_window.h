// The cells of the input under one output of a pooling.
#pragma once

#include <algorithm>

#include "dla/loadable.h"

namespace dlaexec::dla::core {

/// [first, last) of rows and columns; cells outside the input are left out.
struct Window {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

inline Window window_at(const PdpParameters& pool, const Nchw& input, int64_t p, int64_t q) {
  const int64_t top = p * pool.stride.h - pool.pad.top;
  const int64_t left = q * pool.stride.w - pool.pad.left;
  return {std::max<int64_t>(0, top), std::min(input.h, top + pool.kernel.h),
          std::max<int64_t>(0, left), std::min(input.w, left + pool.kernel.w)};
}

/// Calls body(row, column) for each cell, row by row.
template <class Body>
void for_each_cell(const Window& window, Body&& body) {
  for (int64_t h = window.top; h < window.bottom; ++h)
    for (int64_t w = window.left; w < window.right; ++w) body(h, w);
}

}  // namespace dlaexec::dla::core
