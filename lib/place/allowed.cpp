// Without GPU fallback: everything that stands in the way of a build, in one Error.
#include "place/formats.h"

namespace dlaexec::place {
namespace {

/// "\n  conv1 (CONVOLUTION): needs ...; needs ..." for each layer that had to leave the DLA.
std::vector<std::string> offenders_of(const Placement& placement) {
  std::vector<std::string> offenders;
  for (const LayerPlacement& layer : placement.layers) {
    if (layer.wish != ir::Device::Dla || !ir::refuses(layer.findings)) continue;
    std::vector<std::string> reasons;
    for (const ir::Finding& finding : layer.findings)
      if (finding.effect == ir::Effect::Refuses) reasons.push_back(finding.sentence());
    offenders.push_back(format("\n  {} ({}): {}", layer.layer, layer.type, join(reasons, "; ")));
  }
  return offenders;
}

}  // namespace

void require_allowed(const ir::Graph& graph, const Placement& placement, const Options& options) {
  const std::vector<std::string> offenders = offenders_of(placement);
  if (!options.gpu_fallback && !offenders.empty())
    fail(
        "{} of {} layers cannot run on the DLA, and GPU fallback is off; give --allowGPUFallback, "
        "which a standalone loadable cannot have, or change these layers:{}",
        offenders.size(), placement.layers.size(), join(offenders, ""));
  if (options.direct_io || !options.gpu_fallback) require_direct_edges(graph, placement, options);
}

}  // namespace dlaexec::place
