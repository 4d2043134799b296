// What a conformance case runs on.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::test {

using Tensors = std::vector<ir::Tensor>;

/// One way to compute a graph.
struct Executor {
  std::string name;  ///< as exclusions name it: "ref", "cpu", "plan"
  std::function<Tensors(const ir::Graph& graph, const Tensors& inputs)> run;
};

/// Every executor there is; a new one is one entry.
std::span<const Executor> executors();

/// The executor called @p name.
const Executor& executor(const std::string& name);

/// @p graph for inputs of the dimensions of @p inputs.
ir::Graph with_shapes_of(ir::Graph graph, const Tensors& inputs);

}  // namespace dlaexec::test
