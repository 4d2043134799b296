// Tensors that the DLA wants on one INT8 scale.
#pragma once

#include <vector>

#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::quant {

/// A tensor whose range would be widened more than this loses so many of its 127 steps that it is
/// better off in FP16.
inline constexpr float kMostWidening = 8;

/// Takes to FP16 the elementwise layers and concatenations on the DLA that would make
/// share_dla_ranges widen a tensor by more than kMostWidening, with a note each. For builds that
/// allow FP16.
void lift_unequal_layers(ir::Graph& graph, Report& report);

/// Widens ranges so that each INT8 layer that wishes the DLA gets what its rules ask: concatenation
/// (inputs and output), pooling, slicing and shuffling (input and output) and elementwise layers
/// (both inputs) share one range, the largest. Returns what changed.
std::vector<RangeChange> share_dla_ranges(ir::Graph& graph);

}  // namespace dlaexec::quant
