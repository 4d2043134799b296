// Launching generated pointwise kernels.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/groups.h"
#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// Groups of pointwise nodes that one generated kernel runs each, of nodes in none of @p others.
std::vector<Group> find_chains(const Links& links, const Target& target,
                               const std::vector<Group>& others);

/// Adds the launch of a generated kernel for @p nodes, ascending, which all have results of the
/// same dimensions.
void add_chain(Lowering& lowering, const std::vector<int>& nodes);

}  // namespace dlaexec::gpu
