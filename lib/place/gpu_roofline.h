// Rough times of layers, known before anything is compiled: good for choosing, not for reporting.
#pragma once

#include "dla/platform.h"
#include "ir/graph.h"

namespace dlaexec::place {

/// Seconds of a layer on one DLA core, and on the platform's GPU: the longer of arithmetic and
/// memory, with the fixed cost of starting it.
double dla_seconds(const ir::Graph& graph, const ir::Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode);
double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode);

}  // namespace dlaexec::place
