// DLA segments of a typed graph become loadables.
#pragma once

#include <string>
#include <vector>

#include "dla/compile/compile.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// Compiles each DLA segment of @p graph and puts one foreign node, named as in @p names by segment
/// number, in its place. The loadables come in the order of their foreign nodes' indices.
std::vector<plan::Loadable> compile_segments(ir::Graph& graph,
                                             const std::vector<std::string>& names,
                                             const dla::CompileOptions& options);

}  // namespace dlaexec::build
