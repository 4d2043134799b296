#include "plan/listing.h"

#include "base/format.h"

namespace dlaexec::plan {
namespace {

std::string_view kind_text(SectionKind kind) {
  switch (kind) {
    case SectionKind::Structure:
      return "structure";
    case SectionKind::Weights:
      return "weights";
    case SectionKind::Loadable:
      return "loadable";
    case SectionKind::DeviceCode:
      return "device code";
  }
  __builtin_unreachable();
}

std::string tensor_text(const ir::Value& value) {
  return format("{}: {} {} {}", value.name, ir::text(value.type), ir::to_text(value.shape),
                ir::text(value.format));
}

std::string tensors(const ir::Graph& graph, const std::vector<ir::ValueId>& ids) {
  return join(ids, "", [&](ir::ValueId id) {
    return id == ir::kNoValue ? "" : format("  {}\n", tensor_text(graph.value(id)));
  });
}

std::string step_text(const Plan& plan, const ir::Node& node, size_t index) {
  const bool foreign = node.op == ir::Op::ForeignNode;
  std::string line = format("  {:>3} {:<4} {} {}", index, foreign ? "dla" : "gpu",
                            ir::info(node.op).layer_type, node.name);
  if (foreign) line += format(" (loadable {})", node.get<ir::ForeignNodeAttributes>().loadable);
  const auto output = [&](ir::ValueId id) {
    return id == ir::kNoValue ? std::string("-") : tensor_text(plan.graph.value(id));
  };
  return line + " -> " + join(node.outputs, ", ", output) + "\n";
}

std::string layer_text(const Layer& layer) {
  std::string lines = format("  {} ({}) on {} in {}", layer.name, layer.type,
                             ir::text(layer.device), ir::text(layer.precision));
  if (layer.step.empty())
    lines += ", folded at build time";
  else if (layer.step != layer.name)
    lines += ", in " + layer.step;
  lines += "\n";
  for (const ir::Finding& finding : layer.findings)
    lines += format("      {}\n", finding.sentence());
  return lines;
}

}  // namespace

std::string list(const Plan& plan, const Header& header) {
  const Metadata& about = plan.metadata;
  std::string text = format("plan: format {}, {} bytes, made by dlaexec {}\n",
                            header.format_version, header.file_size, about.tool_version);
  text += format("model: {} ({})\n", about.model, about.model_hash);
  text += format("platform: {} {}, ", about.platform, about.power_mode);
  text += about.dla_core < 0 ? "no DLA\n" : format("DLA core {}\n", about.dla_core);
  text += "sections (number, kind, offset, bytes, xxh3):\n";
  for (const Section& section : header.sections)
    text += format("  {:>3} {:<9} {:>11} {:>11} {:016x}\n", section.index, kind_text(section.kind),
                   section.offset, section.size, section.hash);
  text += "settings:\n";
  for (const Setting& setting : about.settings)
    text += format("  {} = {}\n", setting.name, setting.value);
  text += "inputs:\n" + tensors(plan.graph, plan.graph.inputs);
  text += "outputs:\n" + tensors(plan.graph, plan.graph.outputs);
  text += "steps:\n";
  for (size_t i = 0; i < plan.graph.nodes.size(); ++i)
    text += step_text(plan, plan.graph.nodes[i], i);
  text += "layers:\n";
  for (const Layer& layer : about.layers) text += layer_text(layer);
  if (!about.notes.empty()) text += "notes:\n";
  for (const std::string& note : about.notes) text += format("  {}\n", note);
  return text;
}

}  // namespace dlaexec::plan
