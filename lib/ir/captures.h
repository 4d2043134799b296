// What the bodies of If, Loop and Scan use of the graph around them.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace dlaexec::ir {

/// Values of @p graph that the bodies of @p node use by name, at any depth, in a fixed order;
/// perhaps some twice.
std::vector<ValueId> captured_values(const Graph& graph, const Node& node);

}  // namespace dlaexec::ir
