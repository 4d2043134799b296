// The precision of each layer, from what is allowed, asked for, known and supported.
#pragma once

#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::quant {

/// True if a layer computes with floats and so has a precision. Casts and Q/DQ layers have none but
/// the Float32 that the importer may give them.
bool has_precision(const ir::Graph& graph, const ir::Node& node);

/// Sets Node::precision of every layer that has one, but where it is Float32 already; adds to @p
/// report's notes and unmatched patterns. Reads Node::device as the wish. Ranges must be known
/// before.
void assign_precisions(ir::Graph& graph, const Options& options, Report& report);

/// Layers that the DLA computes in FP16 though INT8 was chosen: a bilinear resize whose input range
/// is wider than its output's. Comes after ranges were shared.
void lift_wide_resizes(ir::Graph& graph, Report& report);

}  // namespace dlaexec::quant
