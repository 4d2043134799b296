#include <nlohmann/json.hpp>

#include "plan/listing.h"

namespace dlaexec::plan {
namespace {

using Json = nlohmann::ordered_json;

Json of_tensor(const ir::Value& value) {
  Json dimensions = Json::array();
  for (const ir::Dim& dim : value.shape)
    dimensions.push_back(dim.is_known() ? Json(dim.value) : Json(dim.symbol));
  return {{"name", value.name},
          {"type", ir::text(value.type)},
          {"dimensions", dimensions},
          {"format", ir::text(value.format)}};
}

Json of_tensors(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  Json all = Json::array();
  for (const ir::ValueId id : ids)
    if (id != ir::kNoValue && !graph.value(id).constant) all.push_back(of_tensor(graph.value(id)));
  return all;
}

Json of_step(const ir::Graph& graph, const ir::Node& node) {
  Json step = {{"name", node.name},
               {"type", ir::info(node.op).layer_type},
               {"op", ir::info(node.op).text},
               {"device", node.op == ir::Op::ForeignNode ? "dla" : "gpu"},
               {"origins", node.origins},
               {"inputs", of_tensors(graph, node.inputs)},
               {"outputs", of_tensors(graph, node.outputs)}};
  if (node.op == ir::Op::ForeignNode)
    step["loadable"] = node.get<ir::ForeignNodeAttributes>().loadable;
  return step;
}

Json of_layer(const Layer& layer) {
  Json findings = Json::array();
  for (const ir::Finding& finding : layer.findings)
    findings.push_back({{"rule", finding.rule},
                        {"value", finding.value},
                        {"limit", finding.limit},
                        {"reason", finding.reason},
                        {"source", finding.source},
                        {"effect", ir::text(finding.effect)}});
  return {{"name", layer.name},
          {"type", layer.type},
          {"device", ir::text(layer.device)},
          {"precision", ir::text(layer.precision)},
          {"step", layer.step},
          {"findings", findings}};
}

Json of_sections(const Header& header) {
  Json all = Json::array();
  for (const Section& section : header.sections)
    all.push_back({{"kind", static_cast<uint32_t>(section.kind)},
                   {"index", section.index},
                   {"offset_bytes", section.offset},
                   {"size_bytes", section.size},
                   {"xxh3", format("{:016x}", section.hash)}});
  return all;
}

Json of_shapes(const std::vector<ShapeRange>& ranges) {
  Json all = Json::array();
  for (const ShapeRange& range : ranges)
    all.push_back({{"input", range.input},
                   {"min", range.min},
                   {"opt", range.opt},
                   {"max", range.max},
                   {"profile", range.profile}});
  return all;
}

}  // namespace

std::string list_json(const Plan& plan, const Header& header) {
  const Metadata& about = plan.metadata;
  Json settings = Json::object();
  for (const Setting& setting : about.settings) settings[setting.name] = setting.value;
  Json steps = Json::array(), layers = Json::array(), loadables = Json::array();
  for (const ir::Node& node : plan.graph.nodes) steps.push_back(of_step(plan.graph, node));
  for (const Layer& layer : about.layers) layers.push_back(of_layer(layer));
  for (const Loadable& loadable : plan.loadables)
    loadables.push_back({{"name", loadable.name}, {"size_bytes", loadable.bytes.size()}});
  const Json all = {{"format_version", header.format_version},
                    {"size_bytes", header.file_size},
                    {"tool_version", about.tool_version},
                    {"model", about.model},
                    {"model_hash", about.model_hash},
                    {"platform", about.platform},
                    {"power_mode", about.power_mode},
                    {"dla_core", about.dla_core < 0 ? Json() : Json(about.dla_core)},
                    {"settings", settings},
                    {"shapes", of_shapes(about.shapes)},
                    {"sections", of_sections(header)},
                    {"inputs", of_tensors(plan.graph, plan.graph.inputs)},
                    {"outputs", of_tensors(plan.graph, plan.graph.outputs)},
                    {"loadables", loadables},
                    {"steps", steps},
                    {"layers", layers},
                    {"notes", about.notes}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dlaexec::plan
