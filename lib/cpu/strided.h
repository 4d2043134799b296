// Reading a value along strides into dense memory: transposes, slices, repeats.
#pragma once

#include <cstddef>
#include <vector>

#include "base/thread_pool.h"
#include "ir/shape.h"

namespace dlaexec::cpu {

/// A dense output whose elements lie @p steps apart in the input, from @p offset on; in elements.
struct StridedRead {
  ir::Dims dims;
  std::vector<int64_t> steps;
  int64_t offset = 0;

  /// The same with dimensions of 1 dropped and neighbours that walk as one joined; at least one.
  StridedRead simplified() const;
  /// Whether the output is a run of the input.
  bool is_run() const;
};

/// Copies elements of 1, 2, 4 or 8 bytes; @p read is simplified.
void read_strided(const StridedRead& read, size_t element_bytes, const std::byte* from,
                  std::byte* to, ThreadPool& pool);

}  // namespace dlaexec::cpu
