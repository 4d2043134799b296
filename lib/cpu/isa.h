// Which vector instructions the host has, and the choice among kernels compiled for several.
#pragma once

#include <cstdint>

#include "ir/enum_text.h"

namespace dlaexec::cpu {

/// Sets of vector instructions that kernels are compiled for, weakest first.
enum class Isa : uint8_t { Baseline, Avx2, Avx512 };

/// The strongest one this machine has and this build knows.
Isa best_isa();

}  // namespace dlaexec::cpu

DLAEXEC_ENUM_TEXT(dlaexec::cpu::Isa, "baseline", "avx2", "avx512");
