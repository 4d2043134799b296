#include "gates.h"

#include <map>
#include <sstream>

#include "base/file.h"
#include "base/wildcard.h"
#include "report/comparison_text.h"
#include "report/junit.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

using report::Gate;
using report::Outcome;

/// Layers on the GPU, or the host in its place, that are left of the network at run time.
std::vector<const plan::Layer*> layers_on_gpu(const plan::Plan& plan) {
  std::vector<const plan::Layer*> layers;
  for (const plan::Layer& layer : plan.metadata.layers)
    if (!layer.step.empty() && layer.device == ir::Device::Gpu) layers.push_back(&layer);
  return layers;
}

/// The layer, and the first rule that keeps it off the DLA.
std::string culprit(const plan::Layer& layer) {
  const std::string where = format("{} runs on the GPU", layer.name);
  return layer.findings.empty() ? where : where + ": " + layer.findings.front().sentence();
}

Gate max_gpu_layers(const plan::Plan& plan, int64_t most) {
  const auto on_gpu = layers_on_gpu(plan);
  Gate gate{"placement.max-gpu-layers",
            Outcome::Passed,
            format("{} layer{} on the GPU, --maxGpuLayers allows {}", on_gpu.size(),
                   on_gpu.size() == 1 ? " runs" : "s run", most),
            {}};
  if (static_cast<int64_t>(on_gpu.size()) <= most) return gate;
  gate.outcome = Outcome::Failed;
  for (const plan::Layer* layer : on_gpu) gate.culprits.push_back(culprit(*layer));
  return gate;
}

std::string device_name(ir::Device device) { return device == ir::Device::Dla ? "DLA" : "GPU"; }

/// One line of --expectPlacement. The last colon divides: names may hold others.
struct ExpectedPlace {
  std::string layer, device;
};

std::vector<ExpectedPlace> read_expected(const std::string& path) {
  std::vector<ExpectedPlace> expected;
  std::istringstream lines(read_file(path));
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const size_t colon = line.rfind(':');
    const std::string device = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (device != "GPU" && device != "DLA")
      fail(Fault::Usage, "line {} of {} is '{}'; write LAYER:GPU or LAYER:DLA", number, path, line);
    expected.push_back({line.substr(0, colon), device});
  }
  return expected;
}

/// Layers that are elsewhere than expected, first those that left the DLA; then layers that only
/// one of plan and file knows.
Gate expect_placement(const plan::Plan& plan, const std::string& path) {
  std::map<std::string, const plan::Layer*> layers;
  for (const plan::Layer& layer : plan.metadata.layers)
    if (!layer.step.empty()) layers[layer.name] = &layer;
  const size_t count = layers.size();
  std::vector<std::string> left, others;
  for (const ExpectedPlace& place : read_expected(path)) {
    const auto found = layers.find(place.layer);
    if (found == layers.end()) {
      others.push_back(
          format("{} is expected on the {} and not in the plan", place.layer, place.device));
      continue;
    }
    const plan::Layer& layer = *found->second;
    if (device_name(layer.device) != place.device)
      (place.device == "DLA" ? left : others)
          .push_back(place.device == "DLA" ? culprit(layer)
                                           : format("{} runs on the DLA", layer.name));
    layers.erase(found);
  }
  for (const auto& [name, layer] : layers)
    others.push_back(
        format("{} runs on the {} and is not in the file", name, device_name(layer->device)));
  Gate gate{"placement.expected", Outcome::Passed, "", std::move(left)};
  gate.culprits.insert(gate.culprits.end(), others.begin(), others.end());
  gate.sentence = format("{} layers, {} of them not as {} says", count, gate.culprits.size(), path);
  if (!gate.culprits.empty()) gate.outcome = Outcome::Failed;
  return gate;
}

/// A pattern that no layer has is a mistake: the gate would pass for ever after a layer was
/// renamed.
Gate require_dla(const plan::Plan& plan, const std::string& pattern) {
  Gate gate{"placement.require-dla", Outcome::Passed, "", {}};
  size_t matching = 0;
  for (const plan::Layer& layer : plan.metadata.layers) {
    if (layer.step.empty() || !matches_wildcard(pattern, layer.name)) continue;
    ++matching;
    if (layer.device == ir::Device::Gpu) gate.culprits.push_back(culprit(layer));
  }
  gate.sentence = matching == 0 ? format("--requireDLA={}: no layer has such a name", pattern)
                                : format("--requireDLA={}: {} of {} layers run on the DLA", pattern,
                                         matching - gate.culprits.size(), matching);
  if (matching == 0 || !gate.culprits.empty()) gate.outcome = Outcome::Failed;
  return gate;
}

}  // namespace

Gates placement_gates(const Settings& settings, const plan::Plan& plan) {
  Gates gates;
  if (settings.given(Flag::maxGpuLayers))
    gates.push_back(max_gpu_layers(plan, settings.integer(Flag::maxGpuLayers)));
  for (const std::string& pattern : settings.texts(Flag::requireDLA))
    gates.push_back(require_dla(plan, pattern));
  if (settings.given(Flag::expectPlacement))
    gates.push_back(expect_placement(plan, settings.text(Flag::expectPlacement)));
  return gates;
}

std::string placement_text(const plan::Plan& plan) {
  std::string text;
  for (const plan::Layer& layer : plan.metadata.layers)
    if (!layer.step.empty()) text += format("{}:{}\n", layer.name, device_name(layer.device));
  return text;
}

void Conclusion::add(report::RunComparison made) {
  for (Gate& gate : report::gates_of(made)) gates.push_back(std::move(gate));
  comparison = std::move(made);
}

void conclude(const Settings& settings, const Conclusion& conclusion) {
  const auto undecided =
      ir::parse_enum<report::Undecided>(settings.text(Flag::inconclusive)).value();
  const Gates& gates = conclusion.gates;
  const report::RunComparison* comparison =
      conclusion.comparison ? &*conclusion.comparison : nullptr;
  if (comparison != nullptr) report::print_comparison(*comparison);
  report::print_gates(gates);
  const auto write = [&](Flag flag, const std::string& text) {
    if (settings.given(flag)) write_file(settings.text(flag), text);
  };
  write(Flag::exportJUnit,
        report::junit_xml(gates, {conclusion.subject, report::utc_now(), conclusion.seconds, {}},
                          undecided));
  write(Flag::exportMarkdown, report::markdown(gates, comparison));
  write(Flag::exportAnnotations, report::annotations(gates, undecided));
  if (comparison != nullptr)
    write(Flag::exportComparison, report::comparison_json(*comparison, gates));
  if (const auto fault = report::fault_of(gates, undecided))
    throw Error(*fault, report::conclusion(gates));
}

}  // namespace dlaexec::cli
