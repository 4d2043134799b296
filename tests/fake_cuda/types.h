// The driver API's types as lib/gpu/driver.def writes them.
#pragma once

#include <cstddef>
#include <cstdint>

using Result = int;
using Handle = void*;
using Address = uint64_t;
