// Kernels for the GPU steps of a plan.
#pragma once

#include <vector>

#include "build/options.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// Code for the device or the architecture that @p options name; empty when neither is there.
std::vector<plan::DeviceCode> compile_for_device(const ir::Graph& graph, const Options& options);

}  // namespace dlaexec::build
