// Known ranges of tensors, before anybody computes with them.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::quant {

/// True if the model carries Q/DQ layers.
bool has_explicit_quantization(const ir::Graph& graph);

/// True if a value is made of floats and may therefore have a range: no constant.
bool takes_range(const ir::Value& value);

/// Gives the tensors named in @p scales theirs, then passes ranges on through layers that only move
/// values. Throws an Error for a scale that is not positive and finite.
void apply_scales(ir::Graph& graph, const Scales& scales);

/// trtexec's constants for tensors without a range, in the order of the layers: inputs of layers
/// +-2 (+-4 for concatenations), outputs +-4 (+-2 for pooling).
void apply_fixed_ranges(ir::Graph& graph);

/// Tensors that a layer reads or makes and whose scale is not known.
std::vector<std::string> tensors_without_scale(const ir::Graph& graph);

/// True for layers whose output values all occur in their input: they keep its range.
bool only_moves_values(const ir::Node& node);

}  // namespace dlaexec::quant
