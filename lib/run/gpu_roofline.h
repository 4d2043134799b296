// The steps of a plan on the GPU of a board that is not here.
#pragma once

#include "dla/gpu_roofline.h"
#include "ir/graph.h"
#include "run/board.h"

namespace dlaexec::run {

/// Seconds for @p node of @p graph, whose shapes are known, on the GPU of @p board in its power
/// mode.
double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const Board& board);

}  // namespace dlaexec::run
