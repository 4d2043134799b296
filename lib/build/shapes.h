// Shapes of network inputs: what the user gave, put into the graph.
#pragma once

#include <vector>

#include "build/options.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// Fixes the inputs whose sizes are given as one, and infers all shapes anew. Inputs with a range
/// keep their symbols. An input with unknown sizes and no shape gets 1 for each of them, with a
/// warning. Returns the range of each input that was given or had symbols, in each
/// profile. Throws an Error for a
/// name that no input has, and for sizes that contradict the model.
std::vector<plan::ShapeRange> apply_shapes(ir::Graph& graph, const std::vector<InputShape>& shapes);

}  // namespace dlaexec::build
