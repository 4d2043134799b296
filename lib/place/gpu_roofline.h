// Layers on a board's GPU, known before anything is fused or compiled: good for choosing among
// segments.
#pragma once

#include "dla/gpu_roofline.h"
#include "ir/graph.h"

namespace dlaexec::place {

/// Seconds of a layer on the platform's GPU: the longer of arithmetic and memory, with the cost of
/// a launch where the layer is not part of the one before it.
double gpu_seconds(const ir::Graph& graph, const ir::Node& node, const dla::Platform& platform,
                   const dla::PowerMode& mode);

}  // namespace dlaexec::place
