// Layers that had better leave INT8, found by looking at what the network's outputs lose.
#pragma once

#include <vector>

#include "base/thread_pool.h"
#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::accuracy {

/// Inputs of the network, in its order.
using Batch = std::vector<ir::Tensor>;

/// Runs @p batches through the network in INT8 and in FP32 on the host. Where an output's cosine
/// over all batches is below @p least_cosine, each step is tried in INT8 alone, and those that
/// bring most noise leave INT8, together with what makes their inputs, until the cosine holds.
/// @p graph has its ranges, and static shapes that the batches fit; @p options say which
/// precisions the layers may have instead. With a DLA and no FP16 nothing leaves.
/// Where all steps together do not suffice, all leave. Outputs that are no real numbers, or 0
/// throughout, are not judged; where there are no others, no samples count as looked at.
quant::Lifted find_lifts(const ir::Graph& graph, const quant::Options& options,
                         const std::vector<Batch>& batches, double least_cosine, ThreadPool& pool);

}  // namespace dlaexec::accuracy
