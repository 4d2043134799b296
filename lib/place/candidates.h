// Segments that could become loadables: how they form, what they exchange, what they are worth.
#pragma once

#include "place/formats.h"

namespace dlaexec::place {

/// One segment: the nodes in it, in the graph's order.
using Nodes = std::vector<int>;

/// The segments that the layers with @p on_dla set form. Layers of different batch are kept apart
/// where the rules ask for it, and so are those of different @p piece; 0 goes with any.
std::vector<Nodes> form_candidates(const ir::Graph& graph, const std::vector<char>& on_dla,
                                   const std::vector<int64_t>& piece, const Options& options);

/// "{ForeignNode[first...last]}"
std::string segment_name(const ir::Graph& graph, const Nodes& nodes);

/// What @p nodes are as one loadable: layers, borders with formats, times of all but the DLA.
Segment describe(const ir::Graph& graph, const Links& links, const Nodes& nodes,
                 const Options& options);

/// GPU time that a segment saves, less what its borders cost the GPU.
inline double benefit(const Segment& segment) {
  return segment.gpu_seconds - segment.border_seconds;
}

/// Loadables that one core holds under these options.
size_t loadable_cap(const Options& options);

/// The benefit of all segments that layers with @p on_dla set would form, as many as a core holds.
double total_benefit(const ir::Graph& graph, const std::vector<char>& on_dla,
                     const Options& options);

}  // namespace dlaexec::place
