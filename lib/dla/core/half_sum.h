// How FP16 convolutions sum their products.
#pragma once

#include <cstdint>
#include <span>

#include "base/half.h"
#include "ir/enum_text.h"

namespace dlaexec::dla::core {

enum class HalfSum : uint8_t {
  Ordered,  ///< in FP32, one after the other in a fixed order
  Nvdla,    ///< as NVDLA does: the products of a cycle aligned to the largest and truncated
};

/// Channels that NVDLA multiplies in a cycle.
inline constexpr int64_t kNvdlaLanes = 64;

/// What NVDLA's CMAC gives for the products x[i] * w[i] of one cycle: mantissas of 11 bits shifted
/// left by the exponent's low 2 bits, products shifted right by 4 bits for each step that their
/// exponents are below the largest, truncated, summed exactly. At most kNvdlaLanes; no NaN.
double nvdla_cycle(std::span<const Half> x, std::span<const Half> w);

/// @p sum as FP32, ties away from zero: how CACC delivers.
float nvdla_deliver(double sum);

}  // namespace dlaexec::dla::core

DLAEXEC_ENUM_TEXT(dlaexec::dla::core::HalfSum, "ordered", "nvdla");
