#include "dla/core/conv_plan.h"

#include <algorithm>

namespace dlaexec::dla::core {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Scratch that stays in the caches while every kernel passes over it.
constexpr int64_t kScratchElements = int64_t{1} << 20;

}  // namespace

ConvPlan::ConvPlan(const Loadable& loadable, const Operation& operation, const Packing& asked)
    : in(loadable.cube(operation.input).dims),
      out(loadable.cube(operation.output).dims),
      packing(asked) {
  const auto& conv = std::get<ConvParameters>(operation.parameters);
  kernel = conv.kernel;
  stride = conv.stride;
  dilation = conv.dilation;
  pad = conv.pad;
  groups = conv.groups;
  group_channels = in.c / groups;
  group_kernels = out.c / groups;

  const int64_t step = packing.channels_per_step;
  width = std::min(packing.block, ceil_div(group_channels, step) * step);
  blocks = ceil_div(group_channels, packing.block);
  is_merged = kernel == Hw{} || (out.h == 1 && out.w == 1);
  const int64_t outputs = out.h * out.w;
  if (is_merged) {
    const int64_t image_size = blocks * groups * kernel.h * kernel.w * outputs * width;
    images_per_pass = std::clamp<int64_t>(kScratchElements / image_size, 1, out.n);
    positions = images_per_pass * outputs;
    row_size = positions * width;  // one tap
    block_size = kernel.h * kernel.w * row_size;
  } else {
    positions = out.w;
    rows = (out.h - 1) * stride.h + (kernel.h - 1) * dilation.h + 1;
    phase_pixels = out.w + (kernel.w - 1) * dilation.w / stride.w;
    row_size = stride.w * phase_pixels * width;
    block_size = rows * row_size;
  }
  group_size = blocks * block_size;

  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t r = 0; r < kernel.h; ++r)
      for (int64_t s = 0; s < kernel.w; ++s) {
        const int64_t channels = std::min(packing.block, group_channels - block * packing.block);
        const int64_t column = s * dilation.w;
        const int64_t offset =
            is_merged ? (r * kernel.w + s) * row_size
                      : r * dilation.h * row_size +
                            (column % stride.w * phase_pixels + column / stride.w) * width;
        taps.push_back({block * block_size + offset, ceil_div(channels, step)});
      }
  kernel_blocks = ceil_div(group_kernels, kKernelBlock);
  for (const Tap& tap : taps) weights_size += tap.steps * step * kKernelBlock;
}

int64_t ConvPlan::weight_offset(int64_t k, int64_t c, int64_t r, int64_t s) const {
  const int64_t step = packing.channels_per_step;
  const int64_t block = c / packing.block;
  const int64_t tap_steps = taps[static_cast<size_t>(block * kernel.h * kernel.w)].steps;
  // All blocks before this one are full.
  const int64_t before = block * kernel.h * kernel.w * (packing.block / step);
  const int64_t inside = c % packing.block;
  const int64_t steps = before + (r * kernel.w + s) * tap_steps + inside / step;
  return (steps * kKernelBlock + k % kKernelBlock) * step + inside % step;
}

}  // namespace dlaexec::dla::core
