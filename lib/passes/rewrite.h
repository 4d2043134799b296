// Steps that several passes take on a graph.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::passes {

/// Makes every use of @p from, the graph's outputs among them, a use of @p to.
void replace_uses(ir::Graph& graph, ir::ValueId from, ir::ValueId to);

/// Appends the origins of @p swallowed to those of @p node.
void add_origins(ir::Node& node, const ir::Node& swallowed);

/// Erases the nodes at @p indices.
void erase_nodes(ir::Graph& graph, const std::vector<int>& indices);

/// For each value, how many inputs and graph outputs it feeds; a use inside a subgraph counts.
std::vector<int> count_uses(const ir::Graph& graph);

/// For each value, whether a subgraph uses it by its name, which must then stay.
std::vector<char> captured_values(const ir::Graph& graph);

}  // namespace dlaexec::passes
