#include "report/plan_steps.h"

#include <algorithm>

#include "gpu/code.h"

namespace dlaexec::report {
namespace {

std::string words(const ir::Value& value) {
  return dlaexec::format("{} {}", ir::text(value.type), ir::text(value.format));
}

/// What the tensors among @p ids look like; constants are weights.
std::vector<std::string> tensors(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  std::vector<std::string> found;
  for (const ir::ValueId id : ids)
    if (id != ir::kNoValue && !graph.value(id).constant) found.push_back(words(graph.value(id)));
  return found;
}

/// What was assigned, else the type of what the step delivers.
std::string precision_of(const ir::Graph& graph, const ir::Node& node) {
  if (node.precision) return std::string(ir::text(*node.precision));
  const auto first = std::find_if(node.outputs.begin(), node.outputs.end(),
                                  [](ir::ValueId id) { return id != ir::kNoValue; });
  return first == node.outputs.end() ? "" : std::string(ir::text(graph.value(*first).type));
}

}  // namespace

std::vector<PlanStep> plan_steps(const plan::Plan& plan) {
  std::vector<PlanStep> steps;
  for (const ir::Node& node : plan.graph.nodes)
    steps.push_back({node.name, std::string(ir::info(node.op).layer_type), node.origins,
                     precision_of(plan.graph, node), tensors(plan.graph, node.inputs),
                     tensors(plan.graph, node.outputs)});
  return steps;
}

std::string tactic_text(const dla::Operation& operation) {
  const dla::Tiling& tiling = operation.tiling;
  std::string text =
      dlaexec::format("{} strip{}", tiling.strips.size(), tiling.strips.size() == 1 ? "" : "s");
  if (operation.unit() != dla::Unit::Conv) return text;
  return dlaexec::format("{}, {}, {} kernel pass{}, {} data and {} weight banks",
                         ir::text(tiling.mode), text, tiling.kernel_passes,
                         tiling.kernel_passes == 1 ? "" : "es", tiling.data_banks,
                         tiling.weight_banks);
}

std::string format_text(const dla::Loadable& loadable, dla::CubeId cube) {
  if (cube == dla::kNoCube) return "";
  const dla::Cube& tensor = loadable.cubes[static_cast<size_t>(cube)];
  return dlaexec::format("{} {}", ir::text(tensor.type), ir::text(tensor.format));
}

std::vector<std::pair<std::string, std::string>> gpu_tactics(const plan::Plan& plan) {
  std::vector<std::pair<std::string, std::string>> tactics;
  for (const plan::DeviceCode& section : plan.device_code)
    for (auto& [problem, tactic] : gpu::code_from_bytes(section.bytes).tactics)
      tactics.emplace_back(section.architecture + " " + problem, tactic);
  return tactics;
}

std::string gpu_code_text(const plan::Plan& plan) {
  std::string text;
  for (const plan::DeviceCode& section : plan.device_code) {
    const gpu::Code code = gpu::code_from_bytes(section.bytes);
    text += dlaexec::format("\nGPU code for {}: {} kernels, tactics chosen by {}\n",
                            code.architecture, code.cubins.size(),
                            code.device == gpu::kCostModel
                                ? dlaexec::format("{}, not measured", code.device)
                                : dlaexec::format("measurements on {}", code.device));
  }
  return text;
}

}  // namespace dlaexec::report
