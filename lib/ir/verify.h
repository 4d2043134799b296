// The promises that every graph keeps between passes.
#pragma once

#include <string>

#include "ir/graph.h"

namespace dlaexec::ir {

/// What is wrong with @p graph in one sentence, or an empty text: number of inputs and outputs,
/// attribute structs, order of nodes, unique names, ids in range, constants that match their types
/// and shapes, types that the ops allow.
std::string find_flaw(const Graph& graph);

/// Aborts with the flaw when there is one. For graphs that our own code made: a bug of a pass.
void verify(const Graph& graph);

}  // namespace dlaexec::ir
