// The two generations of the DLA that are modelled.
#pragma once

#include <cstdint>

#include "ir/enum_text.h"

namespace dlaexec::dla {

/// Xavier has DLA 1.0, Orin DLA 2.0. Everything that differs between boards of one generation is in
/// dla/platform.
enum class Generation : uint8_t { Xavier, Orin };

}  // namespace dlaexec::dla

DLAEXEC_ENUM_TEXT(dlaexec::dla::Generation, "xavier", "orin");
