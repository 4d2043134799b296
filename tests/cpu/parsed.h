// Cases from the text form of graphs.
#pragma once

#include "cpu/case.h"

namespace dlaexec::cpu::test {

/// The graph of @p text_form, inferred, with random inputs.
Case parsed(const char* text_form, uint64_t seed = 1);

}  // namespace dlaexec::cpu::test
