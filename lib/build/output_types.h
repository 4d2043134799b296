// The types in which the user wants layers to deliver: --layerOutputTypes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "quant/quant.h"

namespace dlaexec::build {

/// By layer name, '*' standing for anything: one type for all outputs, or one each.
using LayerOutputTypes = std::map<std::string, std::vector<ir::DataType>>;

/// What is wished of one tensor.
struct OutputWish {
  ir::DataType type = ir::DataType::Float32;
  bool by_default = false;  ///< '*' says so: holds where it can, and nothing is said where not
};
/// By tensor name.
using OutputTypes = std::map<std::string, OutputWish>;

/// The tensors of real numbers that the user's wishes speak of; warns of names that no layer has.
/// Throws an Error when a layer has another number of outputs than it was given types.
OutputTypes wished_types(const ir::Graph& graph, const LayerOutputTypes& wishes);

/// Gives the tensors of @p graph, whose types follow from their layers' precisions, the types
/// wished; a DLA core converts to them in the layer's own segment. A wish that cannot be had is
/// told in the log, or ends the build with an Error where constraints are to be obeyed.
void settle_types(ir::Graph& graph, const OutputTypes& wishes, quant::Constraints constraints);

}  // namespace dlaexec::build
