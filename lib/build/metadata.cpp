#include "build/metadata.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "place/formats.h"

namespace dlaexec::build {
namespace {

/// For each layer of the network, the node of @p graph that it is an origin of.
std::unordered_map<std::string, const ir::Node*> owners(const ir::Graph& graph) {
  std::unordered_map<std::string, const ir::Node*> found;
  for (const ir::Node& node : graph.nodes)
    for (const std::string& origin : node.origins) found.emplace(origin, &node);
  return found;
}

/// What a rewrite for the DLA put beside the layer that it rewrote: no layer of the network, but it
/// runs somewhere, and who counts layers on the GPU must see it.
std::vector<plan::Layer> added_layers(const std::vector<NetworkLayer>& layers,
                                      const ir::Graph& placed, const place::Placement& placement,
                                      const ir::Graph& plan_graph) {
  std::unordered_set<std::string> known;
  for (const NetworkLayer& layer : layers) known.insert(layer.name);
  std::vector<plan::Layer> added;
  for (size_t i = 0; i < placed.nodes.size(); ++i) {
    const ir::Node& node = placed.nodes[i];
    if (known.contains(node.name)) continue;
    plan::Layer& made = added.emplace_back();
    made.name = node.name;
    made.type = ir::info(node.op).layer_type;
    made.device = node.device.value_or(ir::Device::Gpu);
    made.precision = node.precision.value_or(ir::DataType::Float32);
    made.findings = placement.layers.at(i).findings;
    if (node.segment >= 0)
      made.step = placement.segments.at(static_cast<size_t>(node.segment)).name;
    else if (std::any_of(plan_graph.nodes.begin(), plan_graph.nodes.end(),
                         [&](const ir::Node& step) { return step.name == node.name; }))
      made.step = node.name;
  }
  return added;
}

std::string edges_text(const std::vector<place::EdgeFormat>& edges) {
  if (edges.empty()) return "fp32:chw";
  return join(edges, ",", place::flag_text);
}

std::string pool_text(const std::optional<int64_t>& bytes) {
  return bytes ? format("{} bytes", *bytes) : "default";
}

/// "name:value,name:value" of a map, in its order.
template <class Map>
std::string pairs_text(const Map& map) {
  return join(map, ",",
              [](const auto& pair) { return format("{}:{}", pair.first, ir::text(pair.second)); });
}

}  // namespace

std::vector<NetworkLayer> network_layers(const ir::Graph& graph) {
  std::vector<NetworkLayer> layers;
  for (const ir::Node& node : graph.nodes)
    layers.push_back({node.name, std::string(ir::info(node.op).layer_type)});
  return layers;
}

std::vector<plan::Layer> describe_layers(const std::vector<NetworkLayer>& layers,
                                         const ir::Graph& placed, const place::Placement& placement,
                                         const ir::Graph& plan_graph) {
  const auto placed_owner = owners(placed);
  const auto step_owner = owners(plan_graph);
  std::unordered_map<std::string, const place::LayerPlacement*> decisions;
  for (const place::LayerPlacement& decision : placement.layers)
    decisions.emplace(decision.layer, &decision);

  std::vector<plan::Layer> described;
  for (const NetworkLayer& layer : layers) {
    plan::Layer& made = described.emplace_back();
    made.name = layer.name;
    made.type = layer.type;
    const auto node = placed_owner.find(layer.name);
    if (node != placed_owner.end()) {
      made.device = node->second->device.value_or(ir::Device::Gpu);
      made.precision = node->second->precision.value_or(ir::DataType::Float32);
    }
    const auto decision = decisions.find(layer.name);
    if (decision != decisions.end()) made.findings = decision->second->findings;
    const auto step = step_owner.find(layer.name);
    if (step != step_owner.end()) made.step = step->second->name;
  }
  for (plan::Layer& made : added_layers(layers, placed, placement, plan_graph))
    described.push_back(std::move(made));
  return described;
}

std::vector<plan::Setting> describe_settings(const Options& options) {
  const auto on = [](bool is) { return std::string(is ? "on" : "off"); };
  std::vector<plan::Setting> settings = {
      {"fp16", on(options.fp16)},
      {"int8", on(options.int8)},
      {"precisionConstraints", std::string(ir::text(options.constraints))},
      {"useDLACore", options.dla_core ? format("{}", *options.dla_core) : "none"},
      {"allowGPUFallback", on(options.gpu_fallback)},
      {"directIO", on(options.direct_io)},
      {"inputIOFormats", edges_text(options.input_formats)},
      {"outputIOFormats", edges_text(options.output_formats)},
      {"memPoolSize.workspace", pool_text(options.pools.workspace)},
      {"memPoolSize.dlaSRAM", pool_text(options.pools.dla_sram)},
      {"memPoolSize.dlaLocalDRAM", pool_text(options.pools.dla_local_dram)},
      {"memPoolSize.dlaGlobalDRAM", pool_text(options.pools.dla_global_dram)}};
  if (options.dla_rules)
    settings.push_back({"dlaRules", std::string(ir::text(*options.dla_rules))});
  if (options.subgraph_order != place::SubgraphOrder::Benefit)
    settings.push_back({"dlaSubgraphOrder", std::string(ir::text(options.subgraph_order))});
  if (options.sparsity != Sparsity::Disable)
    settings.push_back({"sparsity", std::string(ir::text(options.sparsity))});
  if (!options.layer_precisions.empty())
    settings.push_back({"layerPrecisions", pairs_text(options.layer_precisions)});
  if (!options.layer_devices.empty())
    settings.push_back({"layerDeviceTypes", pairs_text(options.layer_devices)});
  return settings;
}

std::vector<plan::Setting> describe_ranges(const quant::Report& report) {
  if (report.source == quant::RangeSource::None) return {};
  std::vector<plan::Setting> settings = {
      {std::string(kRangesSetting), std::string(ir::text(report.source))}};
  if (!report.scales_from.empty() && report.source != quant::RangeSource::Fixed)
    settings.push_back({std::string(kRangesFromSetting), report.scales_from});
  if (const quant::Lifted& lifted = report.lifted; !lifted.layers.empty())
    settings.push_back({std::string(kLiftedSetting),
                        format("{} of {} INT8 steps left it: cosine to FP32 on {} calibration "
                               "samples {:.4f} before, {:.4f} after",
                               lifted.steps, lifted.of, lifted.samples, lifted.cosine_before,
                               lifted.cosine_after)});
  return settings;
}

std::vector<std::string> describe_notes(const quant::Report& report) {
  std::vector<std::string> notes;
  if (report.source == quant::RangeSource::Fixed)
    notes.push_back(
        "INT8 ranges are trtexec's fixed ones: good for timing, the outputs mean nothing");
  for (const quant::RangeChange& change : report.range_changes)
    notes.push_back(quant::to_text(change));
  for (const quant::PrecisionNote& note : report.notes)
    notes.push_back(format("layer '{}' computes in {}, not {}: {}", note.layer, ir::text(note.got),
                           ir::text(note.wanted), note.reason));
  return notes;
}

}  // namespace dlaexec::build
