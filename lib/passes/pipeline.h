// The ordered lists of passes.
#pragma once

#include <functional>
#include <span>

#include "passes/pass.h"

namespace dlaexec::passes {

/// Before placement: the network as the user drew it, without what costs nothing to decide now.
std::span<const Pass> clean_up_passes();
void clean_up(ir::Graph& graph, const Observer& observer = {});

/// After placement: layers become steps, never across devices, segments or precisions.
std::span<const Pass> fusion_passes();
void fuse(ir::Graph& graph, const Observer& observer = {});

/// After fusion: every value gets its final type and format. The types and formats of the graph's
/// inputs and outputs are taken as given.
std::span<const Pass> type_passes();
/// @p settle may change the types that follow from the precisions before anything is converted.
void fix_types(ir::Graph& graph, const Observer& observer = {},
               const std::function<void(ir::Graph&)>& settle = {});

}  // namespace dlaexec::passes
