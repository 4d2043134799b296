// What happens inside a loadable: its hardware operations with their layers, modelled times and
// what bounds them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dla/clock.h"
#include "dla/loadable.h"
#include "plan/plan.h"
#include "run/engine.h"

namespace dlaexec::report {

/// One hardware operation of a loadable.
struct DlaOperation {
  std::string name;
  std::vector<std::string> layers;
  dla::Unit unit = dla::Unit::Conv;
  ir::DataType precision = ir::DataType::Float16;
  std::string tactic;         ///< how it is cut up to fit the convolution buffer
  std::string input, output;  ///< their formats
  int64_t hardware_layers = 0;
  dla::Traffic traffic;
  dla::OperationTime time;
};

/// A step of a plan that a DLA runs.
struct DlaStep {
  size_t step = 0;   ///< its index in the plan
  std::string name;  ///< of the step, "{ForeignNode[conv1...fc]}"
  double seconds = 0;
  std::optional<double> error;  ///< see dla::stated_error
  std::vector<DlaOperation> operations;
};

/// The DLA steps of @p engine with the times of its board.
std::vector<DlaStep> dla_steps(const run::Engine& engine);
/// Of a plan that is not run, on @p board. Reads its loadables.
std::vector<DlaStep> dla_steps(const plan::Plan& plan, const run::Board& board);

/// "conv1 + relu [conv, dram, 31 % of MACs, 1.05 MB]"
std::string to_text(const DlaOperation& operation);

/// A table for people: every operation, then what would help the most.
std::string dla_operations_text(std::span<const DlaStep> steps, const run::Board& board);

/// The JSON listing @p plan_listing of a plan (plan::list_json) with what @p board makes of each of
/// its loadables: the modelled time, its error, the operations.
std::string with_dla_operations(const std::string& plan_listing, const plan::Plan& plan,
                                const run::Board& board);

/// The operations of a step as a JSON array.
std::string dla_operations_json(const DlaStep& step);

}  // namespace dlaexec::report
