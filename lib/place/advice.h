// What to change so that the DLA takes a layer.
#pragma once

#include <vector>

#include "place/explain.h"

namespace dlaexec::place {

/// Advice for each rule that @p findings name and that a change of the network or of the command
/// answers, with the largest measures that would fit.
std::vector<Advice> advice_for(const ir::Graph& graph, const ir::Node& node,
                               const std::vector<ir::Finding>& findings);

/// The advice that is the same for every layer which breaks @p rule; empty where there is none.
std::string_view advice_on_rule(std::string_view rule);

}  // namespace dlaexec::place
