// What the processor can do beyond what this build asks of every one.
#pragma once

namespace dlaexec {

/// Whether this is aarch64 with the 8-bit dot product SDOT: Orin has it, Xavier does not.
bool has_sdot();

/// Whether this is x86 with AMX's products of Int8 matrices and the system lets this process use
/// them.
bool has_amx();

/// Whether this is x86-64 that converts FP16 numbers: F16C, which clang 14's
/// __builtin_cpu_supports does not know.
bool has_f16c();

}  // namespace dlaexec
