// The placement in a TensorRT builder's words, which scripts search for.
#include "base/log.h"

#include <algorithm>
#include <map>

#include "place/advice.h"
#include "place/placement.h"

namespace dlaexec::place {
namespace {

bool wishes_dla(const LayerPlacement& layer) { return layer.wish == ir::Device::Dla; }

/// The same rule may keep a hundred layers off the DLA; so many of them are named, the others are
/// counted, and named in verbose lines alone.
constexpr int kNamed = 3;

class Findings {
 public:
  explicit Findings(const Placement& placement) {
    for (const LayerPlacement& layer : placement.layers)
      if (wishes_dla(layer))
        for (const ir::Finding& finding : layer.findings) ++rules_[finding.rule].total;
  }

  void log(const LayerPlacement& layer) {
    log::Severity severity = layer.findings.empty() ? kShown : kHidden;
    for (const ir::Finding& finding : layer.findings) {
      const log::Severity own = next(rules_.at(finding.rule));
      severity = std::max(severity, own);
      log::write(own, format("{}: {} (needs {}, has {}) [{}]", layer.layer, finding.log,
                             finding.limit, finding.value, finding.rule));
    }
    if (layer.device != ir::Device::Gpu) return;
    log::write(severity, format("Layer '{}' ({}): Unsupported on DLA. Switching this layer's "
                                "device type to GPU.",
                                layer.layer, layer.type));
  }

  /// One line for each rule that kept more layers away than were named.
  void log_the_rest() const {
    for (const auto& [id, rule] : rules_) {
      if (!is_long(rule)) continue;
      const std::string_view advice = advice_on_rule(id);
      log::warning("{} more layers break [{}] as well; --verbose names them{}{}",
                   rule.total - kNamed, id, advice.empty() ? "" : "; to do: ", advice);
    }
  }

 private:
  static constexpr log::Severity kShown = log::Severity::Warning, kHidden = log::Severity::Verbose;
  struct Rule {
    int total = 0, named = 0;
  };
  static bool is_long(const Rule& rule) { return rule.total > kNamed + 1; }

  static log::Severity next(Rule& rule) {
    if (is_long(rule) && rule.named == kNamed) return kHidden;
    ++rule.named;
    return kShown;
  }

  std::map<std::string, Rule> rules_;
};

}  // namespace

void log_placement(const Placement& placement) {
  for (const std::string& pattern : placement.unmatched_patterns)
    log::warning("--layerDeviceTypes: no layer is called '{}'", pattern);
  Findings findings(placement);
  for (const LayerPlacement& layer : placement.layers)
    if (wishes_dla(layer)) findings.log(layer);
  findings.log_the_rest();
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
