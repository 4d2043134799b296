// Loops over a tensor, spread over threads.
#pragma once

#include "base/thread_pool.h"
#include "dla/format.h"

namespace dlaexec::dla::core {

/// Calls body(n, c, h) for every row of every channel, in parallel.
template <class Body>
void for_each_row(const Nchw& dims, ThreadPool& threads, Body&& body) {
  constexpr int64_t kElementsPerPart = 4096;
  threads.parallel_ranges(dims.n * dims.c * dims.h, 1 + kElementsPerPart / dims.w,
                          [&](int64_t first, int64_t last) {
                            for (int64_t i = first; i < last; ++i)
                              body(i / dims.h / dims.c, i / dims.h % dims.c, i % dims.h);
                          });
}

}  // namespace dlaexec::dla::core
