// The window of a convolution or pooling, as its attributes say it.
#pragma once

#include <cstdint>

#include "ir/attributes.h"

namespace dlaexec::gpu {

/// How a two-dimensional window moves, along the height and along the width.
struct Window {
  int64_t stride[2], pad[2], end_pad[2], dilation[2];
};

/// The window of @p a: attributes that stop short mean steps of 1 and no padding.
template <class Attributes>
Window window_of(const Attributes& a) {
  const auto at = [](const ir::Ints& list, size_t index, int64_t otherwise) {
    return index < list.size() ? list[index] : otherwise;
  };
  Window window;
  for (size_t i = 0; i < 2; ++i) {
    window.stride[i] = at(a.stride, i, 1);
    window.pad[i] = at(a.pads, i, 0);
    window.end_pad[i] = at(a.pads, i + 2, 0);
    window.dilation[i] = at(a.dilation, i, 1);
  }
  return window;
}

}  // namespace dlaexec::gpu
