// LRN by rows of pixels: each element is read and squared once, and the function table is
// evaluated once for every FP17 number.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// Makes the bits of run_cdp, many times faster.
class LrnRows {
 public:
  /// Null for an operation that is no LRN, or smaller than its table.
  static std::unique_ptr<LrnRows> make(const Loadable& loadable, const Operation& operation,
                                       ThreadPool& threads);

  void run(const Memory& memory, ThreadPool& threads) const;

 private:
  explicit LrnRows(const Operation& operation) : operation_(operation) {}
  void fill(const Loadable& loadable, ThreadPool& threads);
  void run_pixel(const CubeView& input, const CubeView& output, const struct PixelRows& rows,
                 const Position& pixel) const;

  const Operation& operation_;
  std::vector<float> factors_;  ///< in FP17, by place_of the sum of squares
};

}  // namespace dlaexec::dla::core
