// Where the cubes between operations lie, and what a loadable needs of the memory pools.
#pragma once

#include "dla/compile/compile.h"

namespace dlaexec::dla {

/// Gives every cube its place: SRAM first, while its pool lasts, then local DRAM; cubes that do not
/// live at the same time share bytes. Sets Loadable::pools. Throws a Refusal when local or global
/// DRAM does not suffice.
void plan_memory(Loadable& loadable, const PoolLimits& limits);

}  // namespace dlaexec::dla
