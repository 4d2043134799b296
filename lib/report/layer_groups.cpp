#include "report/layer_groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/format.h"

namespace dlaexec::report {
namespace {

/// Names that are joined into sets, by the smallest index of each set.
class Sets {
 public:
  size_t id(const std::string& name) {
    const auto [known, is_new] = ids_.try_emplace(name, parents_.size());
    if (is_new) parents_.push_back(known->second);
    return root(known->second);
  }
  void unite(const std::string& a, const std::string& b) {
    const size_t first = id(a), second = id(b);
    parents_[std::max(first, second)] = std::min(first, second);
  }

 private:
  size_t root(size_t at) const {
    while (parents_[at] != at) at = parents_[at];
    return at;
  }
  std::map<std::string, size_t> ids_;
  std::vector<size_t> parents_;
};

/// What a part is known by: its layers, or its own name when it has none.
std::vector<std::string> keys_of(const RecordedPart& part) {
  return part.layers.empty() ? std::vector<std::string>{"step " + part.name} : part.layers;
}

void add_layers(LayerGroup& group, const RecordedPart& part) {
  group.holds_layers = group.holds_layers || !part.layers.empty();
  for (const std::string& layer :
       part.layers.empty() ? std::vector<std::string>{part.name} : part.layers)
    if (std::find(group.layers.begin(), group.layers.end(), layer) == group.layers.end())
      group.layers.push_back(layer);
}

std::string texts_of(const std::vector<const RecordedPart*>& parts,
                     std::string RecordedPart::*member) {
  return join(parts, "; ", [&](const RecordedPart* part) { return part->*member; });
}

/// "a+b | c": which layers are computed in one step.
std::string fusion_of(const std::vector<const RecordedPart*>& parts) {
  return join(parts, " | ", [](const RecordedPart* part) { return join(part->layers, "+"); });
}

/// What was decided for the layers of one group, told by the first difference that explains the
/// others: a layer on another engine has another tactic, too.
void add_group(std::vector<Decision>& found, const LayerGroup& group, const LayerChange& cost) {
  const auto add = [&](const char* kind, const std::string& before, const std::string& after) {
    if (before == after || before.empty() || after.empty()) return false;
    found.push_back({kind, cost.name(), before, after, cost.cost_ms, ""});
    return true;
  };
  if (group.before.empty() || group.after.empty()) {
    found.push_back({"step", cost.name(), cost.engine_before, cost.engine_after, cost.cost_ms, ""});
    return;
  }
  if (cost.engine_before != cost.engine_after) return;  // said by its layers
  if (add("fusion", fusion_of(group.before), fusion_of(group.after))) return;
  add("tactic", texts_of(group.before, &RecordedPart::tactic),
      texts_of(group.after, &RecordedPart::tactic));
  add("format", texts_of(group.before, &RecordedPart::formats),
      texts_of(group.after, &RecordedPart::formats));
}

/// The cost of the group that holds @p layer.
std::optional<double> cost_of(const std::string& layer, const std::vector<LayerChange>& costs) {
  for (const LayerChange& change : costs)
    if (std::find(change.layers.begin(), change.layers.end(), layer) != change.layers.end())
      return change.cost_ms;
  return std::nullopt;
}

void add_layers(std::vector<Decision>& found, const Recorded& before, const Recorded& after,
                const std::vector<LayerChange>& costs) {
  std::map<std::string, const RecordedLayer*> known;
  for (const RecordedLayer& layer : before.layers) known[layer.name] = &layer;
  for (const RecordedLayer& layer : after.layers) {
    const auto earlier = known.find(layer.name);
    const auto cost = cost_of(layer.name, costs);
    if (earlier == known.end()) {
      found.push_back({"placement", layer.name, "", layer.device, cost, ""});
      continue;
    }
    const RecordedLayer& old = *earlier->second;
    if (old.device != layer.device)
      found.push_back({"placement", layer.name, old.device, layer.device, cost, layer.reason});
    if (old.precision != layer.precision)
      found.push_back({"precision", layer.name, old.precision, layer.precision, cost, ""});
    known.erase(earlier);
  }
  for (const RecordedLayer& layer : before.layers)
    if (known.contains(layer.name))
      found.push_back({"placement", layer.name, layer.device, "", cost_of(layer.name, costs), ""});
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

void add_pairs(std::vector<Decision>& found, const char* kind, const Pairs& before,
               const Pairs& after) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [name, value] : before) both[name].first = value;
  for (const auto& [name, value] : after) both[name].second = value;
  for (const auto& [name, values] : both)
    if (values.first != values.second)
      found.push_back({kind, name, values.first, values.second, std::nullopt, ""});
}

/// Of all layers that stayed on the DLA: what another board or clock costs.
double cost_on_dla(const std::vector<LayerChange>& costs) {
  return std::accumulate(
      costs.begin(), costs.end(), 0.0, [](double sum, const LayerChange& change) {
        const bool stayed = change.engine_before == "dla" && change.engine_after == "dla";
        return sum + (stayed ? change.cost_ms : 0);
      });
}

void add_board(std::vector<Decision>& found, const Recorded& before, const Recorded& after,
               const std::vector<LayerChange>& costs) {
  if (before.platform.empty() || after.platform.empty()) return;
  const auto add = [&](const char* name, const std::string& a, const std::string& b) {
    if (a != b) found.push_back({"setting", name, a, b, cost_on_dla(costs), ""});
  };
  add("platform", before.platform, after.platform);
  add("power mode", before.power_mode, after.power_mode);
  add("DLA clock", format("{:g} MHz", before.dla_mhz), format("{:g} MHz", after.dla_mhz));
  if (before.dram_gb_per_s > 0 && after.dram_gb_per_s > 0)
    add("memory bandwidth", format("{:g} GB/s", before.dram_gb_per_s),
        format("{:g} GB/s", after.dram_gb_per_s));
  if (before.busy_cores > 0 && after.busy_cores > 0)
    add("busy DLA cores", format("{}", before.busy_cores), format("{}", after.busy_cores));
}

}  // namespace

std::vector<LayerGroup> layer_groups(const Recorded& before, const Recorded& after) {
  Sets sets;
  for (const Recorded* run : {&before, &after})
    for (const RecordedPart& part : run->parts) {
      const std::vector<std::string> keys = keys_of(part);
      for (const std::string& key : keys) sets.unite(keys.front(), key);
    }
  std::map<size_t, LayerGroup> groups;  // by first occurrence
  for (const RecordedPart& part : after.parts) {
    LayerGroup& group = groups[sets.id(keys_of(part).front())];
    group.after.push_back(&part);
    add_layers(group, part);
  }
  for (const RecordedPart& part : before.parts) {
    LayerGroup& group = groups[sets.id(keys_of(part).front())];
    group.before.push_back(&part);
    add_layers(group, part);
  }
  std::vector<LayerGroup> ordered;
  for (auto& [first, group] : groups) ordered.push_back(std::move(group));
  return ordered;
}

std::vector<Decision> decisions(const Recorded& before, const Recorded& after,
                                const std::vector<LayerChange>& costs) {
  std::vector<Decision> found;
  add_board(found, before, after, costs);
  add_layers(found, before, after, costs);
  const std::vector<LayerGroup> groups = layer_groups(before, after);
  for (size_t i = 0; i < groups.size(); ++i) add_group(found, groups[i], costs[i]);
  add_pairs(found, "tactic", before.gpu_tactics, after.gpu_tactics);
  add_pairs(found, "setting", before.settings, after.settings);
  std::stable_sort(found.begin(), found.end(), [](const Decision& a, const Decision& b) {
    return a.cost_ms.value_or(-1e300) > b.cost_ms.value_or(-1e300);
  });
  return found;
}

}  // namespace dlaexec::report
