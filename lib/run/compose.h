// Laying the durations of steps on a time axis.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"
#include "run/timeline.h"

namespace dlaexec::run {

/// For each node, the nodes whose results it needs, in order and once each.
std::vector<std::vector<int>> dependencies(const ir::Graph& graph);

/// Sets the start of each step: one after the other (wall), or when what it needs is ready and its
/// processor is free (composed). Steps are taken in plan order, as one queue hands them out.
/// Gives when the last one ends.
Nanoseconds lay_out(TimelineKind kind, std::span<const Step> steps,
                    const std::vector<std::vector<int>>& dependencies,
                    std::vector<StepTime>& times);

}  // namespace dlaexec::run
