#include "build/output_types.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/wildcard.h"
#include "ir/dla_formats.h"
#include "ir/type_flags.h"

namespace dlaexec::build {
namespace {

void require_count(const ir::Node& node, const std::vector<ir::DataType>& types) {
  if (types.size() != 1 && types.size() != node.outputs.size())
    fail("Layer {} has {} outputs but {} output types are given in --layerOutputTypes", node.name,
         node.outputs.size(), types.size());
}

/// Why @p node cannot deliver @p value in @p type, and what to do; empty when it can.
std::string obstacle(const ir::Node& node, const ir::Value& value, ir::DataType type) {
  if (node.device == ir::Device::Dla && type != ir::DataType::Float16 && type != ir::DataType::Int8)
    return format("a DLA delivers fp16 or int8; give one of them, or --layerDeviceTypes={}:GPU",
                  node.name);
  if (type == ir::DataType::Int8 && !value.quantization.is_known())
    return "the scale of its output is not known; --int8 with --calib or --calibData gives it";
  if (type != ir::DataType::Int8 && !ir::is_float(type))
    return "layers deliver real numbers as fp32, fp16 or int8; give one of them";
  return "";
}

/// Says that @p node does not deliver @p value as wished.
void refuse(const ir::Node& node, const ir::Value& value, const OutputWish& wish,
            const std::string& why, quant::Constraints constraints) {
  if (wish.by_default) return;
  if (constraints == quant::Constraints::Obey)
    fail(
        "layer '{}' cannot deliver {} as --layerOutputTypes asks: {}; with "
        "--precisionConstraints=prefer it would deliver {}",
        node.name, ir::flag_text(wish.type), why, ir::flag_text(value.type));
  log::warning("--layerOutputTypes: layer {} delivers {}, not {}: {}", node.name,
               ir::flag_text(value.type), ir::flag_text(wish.type), why);
}

/// Lets the DLA @p node make a tensor of its own precision, and gives the step of the same segment
/// that makes @p id of it, in @p type.
ir::Node convert_on_dla(ir::Graph& graph, ir::Node& node, ir::ValueId id, ir::DataType type) {
  ir::Value computed = graph.value(id);
  computed.name += ".computed";
  computed.format = ir::Format::Linear;
  const ir::ValueId inner = graph.add_value(std::move(computed));
  std::replace(node.outputs.begin(), node.outputs.end(), id, inner);
  ir::Value& value = graph.value(id);
  value.type = type;
  if (value.format != ir::Format::Linear) value.format = ir::cut_format(type);

  ir::Node conversion;
  conversion.op = ir::Op::Reformat;
  conversion.attributes = ir::default_attributes(ir::Op::Reformat);
  conversion.name = format("Converting {} to {}", node.name, ir::flag_text(type));
  conversion.inputs = {inner};
  conversion.outputs = {id};
  conversion.device = node.device;
  conversion.segment = node.segment;
  return conversion;
}

/// Gives output @p id of @p node the type wished, if that can be; with a step that converts to it
/// where the node cannot do so itself.
std::optional<ir::Node> settle(ir::Graph& graph, ir::Node& node, ir::ValueId id,
                               const OutputWish& wish, quant::Constraints constraints) {
  ir::Value& value = graph.value(id);
  if (wish.type == value.type) return std::nullopt;
  if (graph.is_output(id)) {  // no constraint of the layer: trtexec, too, lets the formats decide
    refuse(node, value, wish, "it is an output of the network; --outputIOFormats gives its type",
           quant::Constraints::Prefer);
    return std::nullopt;
  }
  const std::string why = obstacle(node, value, wish.type);
  if (!why.empty()) {
    refuse(node, value, wish, why, constraints);
    return std::nullopt;
  }
  if (node.device == ir::Device::Dla) return convert_on_dla(graph, node, id, wish.type);
  value.type = wish.type;
  return std::nullopt;
}

}  // namespace

OutputTypes wished_types(const ir::Graph& graph, const LayerOutputTypes& wishes) {
  OutputTypes tensors;
  std::map<std::string, bool> used;
  for (const auto& wish : wishes) used[wish.first] = false;
  for (const ir::Node& node : graph.nodes) {
    const auto* wish = entry_for(wishes, node.name);
    if (wish == nullptr) continue;
    used[wish->first] = true;
    const bool is_default = wish->first == "*";  // of its types the first one counts
    if (!is_default) require_count(node, wish->second);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      const ir::Value& value = graph.value(node.outputs[i]);
      const bool one = is_default || wish->second.size() == 1;
      if (ir::is_float(value.type)) tensors[value.name] = {wish->second[one ? 0 : i], is_default};
    }
  }
  for (const auto& [name, found] : used)
    if (!found) log::warning("--layerOutputTypes: no layer is called '{}'", name);
  return tensors;
}

void settle_types(ir::Graph& graph, const OutputTypes& wishes, quant::Constraints constraints) {
  std::vector<ir::Node> nodes;
  for (ir::Node& node : std::exchange(graph.nodes, {})) {
    std::vector<ir::Node> conversions;
    for (const ir::ValueId id : std::vector<ir::ValueId>(node.outputs)) {
      if (id == ir::kNoValue) continue;
      const auto wish = wishes.find(graph.value(id).name);
      if (wish == wishes.end()) continue;
      if (auto step = settle(graph, node, id, wish->second, constraints))
        conversions.push_back(std::move(*step));
    }
    nodes.push_back(std::move(node));
    std::ranges::move(conversions, std::back_inserter(nodes));
  }
  graph.nodes = std::move(nodes);
}

}  // namespace dlaexec::build
