// What a conformance case runs on.
#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "run/engine.h"

namespace dlaexec::test {

using Tensors = std::vector<ir::Tensor>;

/// One way to compute a graph.
struct Executor {
  std::string name;  ///< as exclusions name it: "ref", "cpu", "plan", "host", "dla"
  std::function<Tensors(const ir::Graph& graph, const Tensors& inputs)> run;
};

/// Every executor there is; a new one is one entry.
std::span<const Executor> executors();

/// The executor called @p name.
const Executor& executor(const std::string& name);

/// What the executor "dla" throws when its rules refuse every layer: nothing was emulated.
struct NotForTheDla : std::runtime_error {
  NotForTheDla();
};

/// @p graph built in FP16 for DLA core 0 of the default platform, with fallback to the host, for
/// inputs of the dimensions of @p inputs.
plan::Plan plan_for_dla(const ir::Graph& graph, const Tensors& inputs);

/// @p graph built in FP32 for the host engine, for inputs of the dimensions of @p inputs.
plan::Plan plan_for_host(const ir::Graph& graph, const Tensors& inputs);

/// @p plan saved, loaded, and ready to run without a GPU.
run::Engine host_engine(const plan::Plan& plan);

/// @p graph for inputs of the dimensions of @p inputs.
ir::Graph with_shapes_of(ir::Graph graph, const Tensors& inputs);

}  // namespace dlaexec::test
