// Grouped convolutions on an array that knows dense kernels only: they are expanded with zeros.
#pragma once

#include <cstdint>

#include "dla/loadable.h"
#include "dla/platform.h"

namespace dlaexec::dla {

/// Channels of the input under the expanded kernels of one kernel group. Orin skips atoms that hold
/// zeros alone; Xavier multiplies them, in slices whose kernels fit CBUF. All channels of a
/// convolution without groups.
int64_t channels_of_kernel_group(const Loadable& loadable, const Operation& convolution);

}  // namespace dlaexec::dla
