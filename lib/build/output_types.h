// The types in which the user wants layers to deliver: --layerOutputTypes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::build {

/// By layer name, '*' standing for anything: one type for all outputs, or one each.
using LayerOutputTypes = std::map<std::string, std::vector<ir::DataType>>;
/// By tensor name.
using OutputTypes = std::map<std::string, ir::DataType>;

/// The tensors of real numbers that the user's wishes speak of; warns of names that no layer has.
/// Throws an Error when a layer has another number of outputs than it was given types.
OutputTypes wished_types(const ir::Graph& graph, const LayerOutputTypes& wishes);

/// Gives the tensors of @p graph, whose types follow from their layers' precisions, the types
/// wished. A DLA core delivers its own precision: a wish for another is told in the log and left.
void settle_types(ir::Graph& graph, const OutputTypes& wishes);

}  // namespace dlaexec::build
