// Data for kernels that are timed: zeros would be faster than what networks work on.
#pragma once

#include "gpu/program.h"

namespace dlaexec::tune {

/// Fills all inputs of @p execution: small random floats, any bytes; integers, which may be
/// somebody's indices, are zero.
void fill_inputs(gpu::Execution& execution, const gpu::Lowered& lowered);

}  // namespace dlaexec::tune
