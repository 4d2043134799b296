// Which vector instructions the host has, and the choice among kernels compiled for several.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/enum_text.h"

namespace dlaexec::cpu {

/// Sets of vector instructions that kernels are compiled for, each of x86 with those before it.
/// Baseline is what every processor of its kind has: SSSE3, NEON.
enum class Isa : uint8_t { Baseline, NeonDot, Avx2, Avx512, Amx };

/// Those that this machine has and this build knows, weakest first.
std::vector<Isa> usable_isas();
/// The strongest of them.
Isa best_isa();

}  // namespace dlaexec::cpu

DLAEXEC_ENUM_TEXT(dlaexec::cpu::Isa, "baseline", "neon-dot", "avx2", "avx512", "amx");
