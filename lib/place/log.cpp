// The placement in a TensorRT builder's words, which scripts search for.
#include "base/log.h"

#include <algorithm>

#include "place/placement.h"

namespace dlaexec::place {
namespace {

void log_findings(const LayerPlacement& layer) {
  for (const ir::Finding& finding : layer.findings)
    log::warning("{}: {} (needs {}, has {}) [{}]", layer.layer, finding.log, finding.limit,
                 finding.value, finding.rule);
  if (layer.wish == ir::Device::Dla && layer.device == ir::Device::Gpu)
    log::warning("Layer '{}' ({}): Unsupported on DLA. Switching this layer's device type to GPU.",
                 layer.layer, layer.type);
}

}  // namespace

void log_placement(const Placement& placement) {
  for (const std::string& pattern : placement.unmatched_patterns)
    log::warning("--layerDeviceTypes: no layer is called '{}'", pattern);
  const auto wishes_dla = [](const LayerPlacement& layer) { return layer.wish == ir::Device::Dla; };
  for (const LayerPlacement& layer : placement.layers)
    if (wishes_dla(layer)) log_findings(layer);
  const bool asked = std::any_of(placement.layers.begin(), placement.layers.end(), wishes_dla);
  if (asked && placement.segments.empty())
    log::warning("The DLA was asked for, but no layer of this network can run on it.");

  log::info("---------- Layers Running on DLA ----------");
  for (const Segment& segment : placement.segments) log::info("[DlaLayer] {}", segment.name);
  log::info("---------- Layers Running on GPU ----------");
  bool any = false;
  for (const LayerPlacement& layer : placement.layers) {
    if (layer.device != ir::Device::Gpu) continue;
    any = true;
    log::info("[GpuLayer] {}: {}", layer.type, layer.layer);
  }
  if (!any) log::info("No layer is running on GPU");
}

}  // namespace dlaexec::place
