// How the elements of a tensor lie in memory, by TensorRT's names. The byte arithmetic of the DLA's
// formats is in dla/format.
#pragma once

#include <cstdint>

#include "ir/enum_text.h"

namespace dlaexec::ir {

/// The order follows TensorRT's TensorFormat enum, so that the values agree with it.
enum class Format : uint8_t {
  Linear,
  Chw2,
  Hwc8,
  Chw4,
  Chw16,
  Chw32,
  Dhwc8,
  Cdhw32,
  Hwc,
  DlaLinear,
  DlaHwc4,
  Hwc16,
  Dhwc,
};

}  // namespace dlaexec::ir

DLAEXEC_ENUM_TEXT(dlaexec::ir::Format, "chw", "chw2", "hwc8", "chw4", "chw16", "chw32", "dhwc8",
                  "cdhw32", "hwc", "dla_linear", "dla_hwc4", "hwc16", "dhwc");
