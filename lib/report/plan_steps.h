// The steps of a plan as reports tell them: what was decided for each, without times.
#pragma once

#include <string>
#include <vector>

#include "dla/loadable.h"
#include "plan/plan.h"

namespace dlaexec::report {

struct PlanStep {
  std::string name;
  std::string type;                          ///< as TensorRT prints it
  std::vector<std::string> layers;           ///< the network layers in it
  std::string precision;                     ///< what it computes in
  std::vector<std::string> inputs, outputs;  ///< types and layouts, "f16 chw16", without weights
};

/// In the order of execution.
std::vector<PlanStep> plan_steps(const plan::Plan& plan);

/// How a hardware operation is cut up: "all-resident, 2 strips, 1 kernel pass".
std::string tactic_text(const dla::Operation& operation);

/// Type and layout of a DLA tensor: "int8 dla_linear".
std::string format_text(const dla::Loadable& loadable, dla::CubeId cube);

/// The kernels that the tuner chose, per problem, of every GPU that the plan has code for.
std::vector<std::pair<std::string, std::string>> gpu_tactics(const plan::Plan& plan);

/// For which GPUs the plan holds code, and what chose its tactics; empty without such code.
std::string gpu_code_text(const plan::Plan& plan);

}  // namespace dlaexec::report
