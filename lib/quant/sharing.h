// Tensors that the DLA wants on one INT8 scale.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::quant {

/// Widens ranges so that each INT8 layer that wishes the DLA gets what its rules ask: concatenation
/// (inputs and output), pooling, slicing and shuffling (input and output) and elementwise layers
/// (both inputs) share one range, the largest. Returns what changed.
std::vector<RangeChange> share_dla_ranges(ir::Graph& graph);

}  // namespace dlaexec::quant
