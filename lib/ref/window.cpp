#include "ref/window.h"

namespace dlaexec::ref {

std::vector<int64_t> Window::reads(int64_t tap) const {
  const size_t rank = input.size();
  const int64_t count = ir::volume(output);
  std::vector<int64_t> offsets(static_cast<size_t>(count), 0);
  ir::Dims at(rank);  // of the tap in the kernel
  for (size_t d = rank; d-- > 0; tap /= kernel[d]) at[d] = tap % kernel[d];
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    int64_t offset = 0;
    int64_t step = 1;
    int64_t state = 0;
    for (size_t d = rank; d-- > 0; rest /= output[d]) {
      const int64_t position = rest % output[d] * stride[d] + at[d] * dilation[d] - pads[d];
      if (position >= input[d] + pads[d + rank])
        state = kOutside;
      else if (state == 0 && (position < 0 || position >= input[d]))
        state = kPadding;
      offset += position * step;
      step *= input[d];
    }
    offsets[static_cast<size_t>(i)] = state != 0 ? state : offset;
  }
  return offsets;
}

}  // namespace dlaexec::ref
