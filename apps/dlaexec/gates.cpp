#include "gates.h"

#include <algorithm>

#include "base/file.h"
#include "base/wildcard.h"
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
  return gates;
}

void conclude(const Settings& settings, const Gates& gates, const std::string& subject,
              double seconds) {
  const auto undecided = ir::parse_enum<report::Undecided>(settings.text(Flag::inconclusive))
                             .value_or(report::Undecided::Itself);
  report::print_gates(gates);
  if (settings.given(Flag::exportJUnit))
    write_file(settings.text(Flag::exportJUnit),
               report::junit_xml(gates, {subject, report::utc_now(), seconds, {}}, undecided));
  if (const auto fault = report::fault_of(gates, undecided))
    throw Error(*fault, report::conclusion(gates));
}

}  // namespace dlaexec::cli
