// Where a sliding window reads: shared by convolutions and pools of any number of dimensions.
#pragma once

#include <vector>

#include "ir/tensor.h"

namespace dlaexec::ref {

/// A window moving over padded spatial dimensions.
struct Window {
  ir::Dims input, output, kernel;  ///< spatial sizes
  ir::Dims stride, pads, dilation;

  static constexpr int64_t kPadding = -1;  ///< inside the padding
  static constexpr int64_t kOutside = -2;  ///< beyond it (ceil mode)

  /// For kernel position @p tap and each output position: the spatial offset read, or kPadding or
  /// kOutside.
  std::vector<int64_t> reads(int64_t tap) const;
  int64_t taps() const { return ir::volume(kernel); }
};

}  // namespace dlaexec::ref
