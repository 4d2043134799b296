// How long a board's GPU takes for a step, by a roofline: what its arithmetic and its memory allow.
// For boards that are not here; a GPU that is here is measured.
#pragma once

#include "ir/graph.h"
#include "run/board.h"

namespace dlaexec::run {

/// The mean error of roofline times of whole networks on the boards of tests/run/predict_test.cpp,
/// rounded up, as a part of the time.
inline constexpr double kRooflineError = 0.2;

/// Seconds for @p node of @p graph, whose shapes are known, on the GPU of @p board in its power
/// mode.
double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const Board& board);

}  // namespace dlaexec::run
