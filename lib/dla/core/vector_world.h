// What code for one instruction set uses of the rest of the world. Include it before the region
// that compiles for the set, so that nothing here is compiled for it.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "dla/core/conv.h"
#include "dla/core/conv_plan.h"
#include "dla/core/sdp.h"
#include "dla/core/vector_conv.h"
