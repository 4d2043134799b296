// Types and formats of the network's inputs and outputs.
#pragma once

#include "build/options.h"
#include "place/placement.h"

namespace dlaexec::build {

/// Throws an Error unless there is no entry, one for all, or one per edge, on both sides.
void require_counts(const ir::Graph& graph, const Options& options);

/// @p options with the model's own types in its formats of inputs and outputs where they are
/// wanted, an entry per input and output. The counts are right.
Options with_edge_types(const ir::Graph& graph, Options options);

/// True if an input or output is to be Int8, which takes a known range.
bool has_int8_edge(const Options& options);

/// Gives the graph's inputs and outputs the type and format that the user asked for; of several
/// formats the one in which a DLA segment takes or gives the tensor. Comes after placement and
/// before the types inside are fixed.
void apply_edges(ir::Graph& graph, const place::Placement& placement, const Options& options);

}  // namespace dlaexec::build
