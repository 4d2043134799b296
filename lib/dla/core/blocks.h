// Loops over rows of channel blocks: channels that lie side by side at every pixel.
#pragma once

#include <algorithm>
#include <numeric>

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// The most channels that lie side by side in all of @p layouts at multiples of themselves.
template <class... Layouts>
int64_t common_lanes(const Layout& first, const Layouts&... others) {
  int64_t lanes = first.lanes;
  ((lanes = std::gcd(lanes, others.lanes)), ...);
  return lanes;
}

/// Calls body(n, c, channels, h) for every row of every block of @p lanes channels, in parallel;
/// the last block of an image may have fewer.
template <class Body>
void for_each_block_row(const Nchw& dims, int64_t lanes, ThreadPool& threads, Body&& body) {
  constexpr int64_t kElementsPerPart = 16384;
  const int64_t blocks = (dims.c + lanes - 1) / lanes;
  threads.parallel_ranges(dims.n * blocks * dims.h, 1 + kElementsPerPart / (dims.w * lanes),
                          [&](int64_t first, int64_t last) {
                            for (int64_t i = first; i < last; ++i) {
                              const int64_t c = i / dims.h % blocks * lanes;
                              body(i / dims.h / blocks, c, std::min(lanes, dims.c - c), i % dims.h);
                            }
                          });
}

}  // namespace dlaexec::dla::core
