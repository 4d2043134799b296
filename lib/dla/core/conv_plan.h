// How a vectorized core computes one convolution: the input is copied once into a scratch where the
// pixels under neighbouring outputs lie side by side for every tap, and weights are packed so that
// 16 kernels lie side by side. Nothing here depends on the instruction set but the sizes it asks
// for.
#pragma once

#include <cstdint>
#include <vector>

#include "dla/core/sdp_program.h"

namespace dlaexec::dla::core {

/// What a kernel's arithmetic asks of scratch and weights.
struct Packing {
  int64_t channels_per_step = 1;  ///< that one instruction multiplies and adds up
  int64_t block = 16;             ///< channels of a pixel that lie side by side
};

/// One tap of one channel block: where its first pixel lies in the scratch, in elements, and how
/// many steps its channels take.
struct Tap {
  int64_t offset = 0;
  int64_t steps = 0;
};

/// Sizes and offsets in elements; "pixel" is @c width channels of one place.
struct ConvPlan {
  ConvPlan(const Loadable& loadable, const Operation& operation, const Packing& packing);

  Nchw in, out;
  Hw kernel, stride, dilation;
  Padding pad;
  int64_t groups = 1;
  int64_t group_channels = 0, group_kernels = 0;

  Packing packing;
  int64_t width = 0;   ///< channels of a pixel in the scratch: the block, or all if there are fewer
  int64_t blocks = 0;  ///< channel blocks of a group

  /// Outputs of several images and rows form one run of positions: kernels of 1x1, and outputs of
  /// one pixel. Otherwise each output row is a run.
  bool is_merged = false;
  int64_t images_per_pass = 1;
  int64_t positions = 0;  ///< of a run

  int64_t rows = 0;          ///< not merged: rows of the scratch
  int64_t phase_pixels = 0;  ///< not merged: columns w, w + stride, ... lie side by side; so many
  int64_t row_size = 0, block_size = 0, group_size = 0;
  std::vector<Tap> taps;  ///< of a group, in the order of the sum

  int64_t kernel_blocks = 0;  ///< of a group
  int64_t weights_size = 0;   ///< of one kernel block
  int64_t scratch_size() const { return groups * group_size; }

  /// Where weight [k][c][r][s] of a group goes within its kernel block.
  int64_t weight_offset(int64_t k, int64_t c, int64_t r, int64_t s) const;
  /// Scratch offset of the first position of output row @p row (merged: 0).
  int64_t row_offset(int64_t row) const { return is_merged ? 0 : row * stride.h * row_size; }
};

}  // namespace dlaexec::dla::core
