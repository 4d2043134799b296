// Several short measurements of the same engine as one series of medians.
#pragma once

#include <vector>

#include "bench/result.h"

namespace dlaexec::bench {

/// One query and one time per step for each round: its medians. The distance between the ends of
/// neighbouring queries is the median period of a round. @p rounds must not be empty.
Result medians_of(const std::vector<Result>& rounds);

}  // namespace dlaexec::bench
