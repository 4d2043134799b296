// The arithmetic of a node.
#pragma once

#include "ir/graph.h"

namespace dlaexec::ir {

/// Multiply-accumulates of one node, from its shapes; 0 for an op that has none, and where a shape
/// is not known.
double macs_of(const Graph& graph, const Node& node);

}  // namespace dlaexec::ir
