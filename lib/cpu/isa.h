// Which vector instructions the host has, and the choice among kernels compiled for several.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/enum_text.h"

namespace dlaexec::cpu {

/// Sets of vector instructions that kernels are compiled for. Baseline is what every processor of
/// its kind has: SSSE3, NEON.
enum class Isa : uint8_t { Baseline, Avx2, Avx512, NeonDot };

/// Those that this machine has and this build knows, weakest first.
std::vector<Isa> usable_isas();
/// The strongest of them.
Isa best_isa();

}  // namespace dlaexec::cpu

DLAEXEC_ENUM_TEXT(dlaexec::cpu::Isa, "baseline", "avx2", "avx512", "neon-dot");
