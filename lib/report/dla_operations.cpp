#include "report/dla_operations.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "report/plan_steps.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;

DlaStep step_of(size_t index, std::string name, const dla::Loadable& loadable,
                const dla::ClockSettings& clock) {
  const dla::LoadableTime time = dla::estimate(loadable, clock);
  DlaStep step{index, std::move(name), time.seconds, time.error, {}};
  for (size_t i = 0; i < loadable.operations.size(); ++i) {
    const dla::Operation& from = loadable.operations[i];
    step.operations.push_back({from.name, from.origins, from.unit(), from.precision,
                               tactic_text(from), format_text(loadable, from.input),
                               format_text(loadable, from.output), from.tiling.hardware_layers(),
                               from.tiling.traffic, time.operations[i]});
  }
  return step;
}

double megabytes(const dla::OperationTime& time) {
  return static_cast<double>(time.dram_bytes + time.sram_bytes) / 1e6;
}

std::string layers_text(const DlaOperation& operation) {
  return operation.layers.empty() ? operation.name : join(operation.layers, " + ");
}

std::string table_row(const DlaOperation& operation, double total_seconds) {
  const dla::OperationTime& time = operation.time;
  const std::string used = time.macs > 0 ? format("{:.1f}", 100 * time.utilization) : "-";
  return format("{:>10.2f} {:>6.1f} {:>10.0f} {:<6} {:<5} {:>6} {:>9.3f} {:>9.3f}  {}\n",
                1e6 * time.seconds, 100 * time.seconds / total_seconds, time.cycles,
                ir::text(operation.unit), ir::text(time.bound), used,
                static_cast<double>(time.dram_bytes) / 1e6,
                static_cast<double>(time.sram_bytes) / 1e6, layers_text(operation));
}

/// One line for each bound that holds a tenth of the time or more.
std::string help_text(const DlaStep& step) {
  std::string text;
  for (size_t i = 0; i < ir::kEnumText<dla::Bound>.size(); ++i) {
    const auto bound = static_cast<dla::Bound>(i);
    double seconds = 0;
    for (const DlaOperation& operation : step.operations)
      if (operation.time.bound == bound) seconds += operation.time.seconds;
    if (seconds >= 0.1 * step.seconds)
      text += format("{:.0f} % of the time waits for {}: {}\n", 100 * seconds / step.seconds,
                     ir::text(bound), dla::advice(bound));
  }
  return text;
}

}  // namespace

std::vector<DlaStep> dla_steps(const run::Engine& engine) {
  std::vector<DlaStep> steps;
  for (size_t i = 0; i < engine.loadables().size(); ++i)
    if (const dla::Loadable* loadable = engine.loadables()[i])
      steps.push_back(step_of(i, engine.steps()[i].name, *loadable, engine.board()->clock));
  return steps;
}

std::vector<DlaStep> dla_steps(const plan::Plan& plan, const run::Board& board) {
  std::vector<DlaStep> steps;
  for (size_t i = 0; i < plan.graph.nodes.size(); ++i) {
    const ir::Node& node = plan.graph.nodes[i];
    if (node.op != ir::Op::ForeignNode) continue;
    const plan::Loadable& section =
        plan.loadables[static_cast<size_t>(node.get<ir::ForeignNodeAttributes>().loadable)];
    steps.push_back(
        step_of(i, node.name, dla::deserialize(section.bytes, section.owner), board.clock));
  }
  return steps;
}

std::string to_text(const DlaOperation& operation) {
  const std::string used =
      operation.time.macs > 0 ? format(", {:.0f} % of MACs", 100 * operation.time.utilization) : "";
  return format("{} [{}, {}{}, {:.2f} MB]", layers_text(operation), ir::text(operation.unit),
                ir::text(operation.time.bound), used, megabytes(operation.time));
}

std::string dla_operations_text(std::span<const DlaStep> steps, const run::Board& board) {
  std::string text;
  for (const DlaStep& step : steps) {
    text += format("DLA operations of {}: modelled {:.4f} ms ({}) on {}\n", step.name,
                   1e3 * step.seconds, dla::error_text(step.error), run::to_text(board));
    text += format("{:>10} {:>6} {:>10} {:<6} {:<5} {:>6} {:>9} {:>9}  {}\n", "us", "%", "cycles",
                   "unit", "bound", "MACs %", "DRAM MB", "SRAM MB", "layers");
    for (const DlaOperation& operation : step.operations)
      text += table_row(operation, step.seconds);
    text += help_text(step);
  }
  return text;
}

std::string dla_operations_json(const DlaStep& step) {
  Json operations = Json::array();
  for (const DlaOperation& operation : step.operations) {
    const dla::OperationTime& time = operation.time;
    operations.push_back({{"name", operation.name},
                          {"unit", ir::text(operation.unit)},
                          {"layers", operation.layers},
                          {"precision", ir::text(operation.precision)},
                          {"tactic", operation.tactic},
                          {"input", operation.input},
                          {"output", operation.output},
                          {"hardware_layers", operation.hardware_layers},
                          {"macs", time.macs},
                          {"cycles", time.cycles},
                          {"time_ms", time.seconds * 1000},
                          {"share_percent", 100 * time.seconds / step.seconds},
                          {"bound", ir::text(time.bound)},
                          {"utilization", time.utilization},
                          {"cycles_by_part",
                           {{"mac", time.mac_cycles},
                            {"unit", time.unit_cycles},
                            {"dram", time.dram_cycles},
                            {"sram", time.sram_cycles},
                            {"wait", time.wait_cycles},
                            {"gap", time.gap_cycles}}},
                          {"bytes",
                           {{"input", operation.traffic.input},
                            {"weights", operation.traffic.weights},
                            {"operand", operation.traffic.operand},
                            {"output", operation.traffic.output}}},
                          {"dram_bytes", time.dram_bytes},
                          {"sram_bytes", time.sram_bytes},
                          {"would_help", dla::advice(time.bound)}});
  }
  return operations.dump();
}

std::string with_dla_operations(const std::string& plan_listing, const plan::Plan& plan,
                                const run::Board& board) {
  Json listing = Json::parse(plan_listing);
  for (const DlaStep& step : dla_steps(plan, board)) {
    const auto& node = plan.graph.nodes[step.step].get<ir::ForeignNodeAttributes>();
    Json& loadable = listing["loadables"][static_cast<size_t>(node.loadable)];
    loadable["kind"] = ir::text(run::Kind::Modelled);
    loadable["board"] = run::to_text(board);
    loadable["time_ms"] = 1e3 * step.seconds;
    loadable["error_percent"] =
        step.error ? Json(std::round(1000 * *step.error) / 10) : Json(nullptr);
    loadable["operations"] = Json::parse(dla_operations_json(step));
  }
  return listing.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dlaexec::report
