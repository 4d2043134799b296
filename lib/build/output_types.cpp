#include "build/output_types.h"

#include "base/error.h"
#include "base/log.h"
#include "base/wildcard.h"

namespace dlaexec::build {
namespace {

/// The wish for @p layer: under its own name, else under the longest pattern that matches.
const LayerOutputTypes::value_type* wish_for(const LayerOutputTypes& wishes,
                                             const std::string& layer) {
  if (const auto exact = wishes.find(layer); exact != wishes.end()) return &*exact;
  const LayerOutputTypes::value_type* best = nullptr;
  for (const auto& wish : wishes)
    if (matches_wildcard(wish.first, layer) &&
        (best == nullptr || wish.first.size() > best->first.size()))
      best = &wish;
  return best;
}

void require_count(const ir::Node& node, const std::vector<ir::DataType>& types) {
  if (types.size() != 1 && types.size() != node.outputs.size())
    fail("Layer {} has {} outputs but {} output types are given in --layerOutputTypes", node.name,
         node.outputs.size(), types.size());
}

}  // namespace

OutputTypes wished_types(const ir::Graph& graph, const LayerOutputTypes& wishes) {
  OutputTypes tensors;
  std::map<std::string, bool> used;
  for (const auto& wish : wishes) used[wish.first] = false;
  for (const ir::Node& node : graph.nodes) {
    const auto* wish = wish_for(wishes, node.name);
    if (wish == nullptr) continue;
    used[wish->first] = true;
    const bool is_default = wish->first == "*";  // of its types the first one counts
    if (!is_default) require_count(node, wish->second);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      const ir::Value& value = graph.value(node.outputs[i]);
      const bool one = is_default || wish->second.size() == 1;
      if (ir::is_float(value.type)) tensors[value.name] = wish->second[one ? 0 : i];
    }
  }
  for (const auto& [name, found] : used)
    if (!found) log::warning("--layerOutputTypes: no layer is called '{}'", name);
  return tensors;
}

void settle_types(ir::Graph& graph, const OutputTypes& wishes) {
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.outputs) {
      if (id == ir::kNoValue || graph.is_output(id)) continue;
      ir::Value& value = graph.value(id);
      const auto wish = wishes.find(value.name);
      if (wish == wishes.end() || wish->second == value.type) continue;
      const bool scaled = wish->second != ir::DataType::Int8 || value.quantization.is_known();
      if (node.device == ir::Device::Dla || !ir::is_float(value.type) || !scaled)
        log::warning("--layerOutputTypes: layer {} delivers {}, not {}: {}", node.name,
                     ir::text(value.type), ir::text(wish->second),
                     scaled ? "the DLA delivers what it computes in"
                            : "the scale of its output is not known");
      else
        value.type = wish->second;
    }
}

}  // namespace dlaexec::build
