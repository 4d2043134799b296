// Connected groups of DLA layers that can each run as one.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::place {

/// Groups the nodes with @p on_dla set into maximal connected segments: no two of them can be
/// joined without a path that leaves the joined one and comes back, which would make a cycle. Nodes
/// that differ in one of @p labels (one value per node each) are kept apart; 0 goes with any. Each
/// segment lists its nodes in the graph's order; segments are in the order of their first node.
std::vector<std::vector<int>> form_segments(const ir::Graph& graph, const std::vector<char>& on_dla,
                                            std::vector<std::vector<int64_t>> labels);

}  // namespace dlaexec::place
