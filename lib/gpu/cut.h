// Which steps of a graph run on the device, and which the host has to take.
#pragma once

#include <vector>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// Consecutive nodes that run on the same side.
struct Run {
  std::vector<int> nodes;
  bool on_device = false;
  std::vector<std::string> reasons;  ///< why the host takes each node
};

/// @p nodes of @p graph, in order, as runs: a node goes to the device unless why_not() objects, or
/// it reads what has a size that data decides in a way that kernels cannot follow.
std::vector<Run> cut(const ir::Graph& graph, const std::vector<int>& nodes, const Target& target);

}  // namespace dlaexec::gpu
