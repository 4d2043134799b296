#include <cstring>

#include "plan.pb.h"
#include "plan/structure.h"

namespace dlaexec::plan {
namespace {

constexpr uint64_t kAlignment = 64;

void write_graph(const ir::Graph& graph, WeightLayout& weights, plan_file::Graph& out);

/// Writes each member of an attribute struct as one Attribute; the overload follows its type.
class AttributeWriter {
 public:
  AttributeWriter(plan_file::Node& out, WeightLayout& weights) : out_(out), weights_(weights) {}

  template <class T>
  void operator()(const char* name, const T& member) const {
    plan_file::Attribute& attribute = *out_.add_attributes();
    attribute.set_name(name);
    write(member, attribute);
  }

 private:
  void write(bool member, plan_file::Attribute& to) const { to.set_integer(member); }
  void write(int64_t member, plan_file::Attribute& to) const { to.set_integer(member); }
  void write(float member, plan_file::Attribute& to) const { to.set_number(member); }
  void write(double member, plan_file::Attribute& to) const { to.set_number(member); }
  void write(const std::string& member, plan_file::Attribute& to) const { to.set_text(member); }
  template <ir::TextEnum Enum>
  void write(Enum member, plan_file::Attribute& to) const {
    to.set_text(std::string(ir::text(member)));
  }
  void write(const ir::Ints& member, plan_file::Attribute& to) const {
    to.mutable_integers()->Add(member.begin(), member.end());
  }
  void write(const ir::Floats& member, plan_file::Attribute& to) const {
    to.mutable_numbers()->Add(member.begin(), member.end());
  }
  void write(const ir::Strings& member, plan_file::Attribute& to) const {
    for (const std::string& item : member) to.add_texts(item);
  }
  void write(const ir::Subgraph& member, plan_file::Attribute& to) const {
    if (member) write_graph(*member, weights_, *to.mutable_graph());
  }

  plan_file::Node& out_;
  WeightLayout& weights_;
};

void write_value(const ir::Value& value, WeightLayout& weights, plan_file::Value& out) {
  out.set_name(value.name);
  out.set_type(std::string(ir::text(value.type)));
  for (const ir::Dim& dim : value.shape) {
    plan_file::Dim& to = *out.add_shape();
    to.set_value(dim.value);
    to.set_symbol(dim.symbol);
  }
  if (value.constant) {
    DLAEXEC_CHECK(value.constant->type() == value.type);
    DLAEXEC_CHECK(ir::shape_of(value.constant->dims()) == value.shape);
    out.mutable_constant()->set_offset(weights.place(value.constant->bytes()));
    out.mutable_constant()->set_size(value.constant->size_bytes());
  }
  out.mutable_scales()->Add(value.quantization.scales.begin(), value.quantization.scales.end());
  out.set_scale_axis(value.quantization.axis);
  out.set_format(std::string(ir::text(value.format)));
}

void write_node(const ir::Node& node, WeightLayout& weights, plan_file::Node& out) {
  out.set_op(std::string(ir::info(node.op).text));
  out.set_name(node.name);
  out.mutable_inputs()->Add(node.inputs.begin(), node.inputs.end());
  out.mutable_outputs()->Add(node.outputs.begin(), node.outputs.end());
  std::visit(
      [&](const auto& attributes) { attributes.fields(attributes, AttributeWriter(out, weights)); },
      node.attributes);
  for (const std::string& origin : node.origins) out.add_origins(origin);
  if (node.device) out.set_device(std::string(ir::text(*node.device)));
  out.set_segment(node.segment);
  if (node.precision) out.set_precision(std::string(ir::text(*node.precision)));
}

void write_graph(const ir::Graph& graph, WeightLayout& weights, plan_file::Graph& out) {
  out.set_name(graph.name);
  for (const ir::Value& value : graph.values) write_value(value, weights, *out.add_values());
  for (const ir::Node& node : graph.nodes) write_node(node, weights, *out.add_nodes());
  out.mutable_inputs()->Add(graph.inputs.begin(), graph.inputs.end());
  out.mutable_outputs()->Add(graph.outputs.begin(), graph.outputs.end());
}

void write_layer(const Layer& layer, plan_file::Layer& out) {
  out.set_name(layer.name);
  out.set_type(layer.type);
  out.set_device(std::string(ir::text(layer.device)));
  out.set_precision(std::string(ir::text(layer.precision)));
  out.set_step(layer.step);
  for (const ir::Finding& finding : layer.findings) {
    plan_file::Finding& to = *out.add_findings();
    to.set_rule(finding.rule);
    to.set_value(finding.value);
    to.set_limit(finding.limit);
    to.set_reason(finding.reason);
    to.set_source(finding.source);
    to.set_log(finding.log);
    to.set_effect(std::string(ir::text(finding.effect)));
  }
}

void write_metadata(const Metadata& metadata, plan_file::Metadata& out) {
  out.set_tool_version(metadata.tool_version);
  out.set_model(metadata.model);
  out.set_model_hash(metadata.model_hash);
  out.set_platform(metadata.platform);
  out.set_power_mode(metadata.power_mode);
  out.set_dla_core(metadata.dla_core);
  for (const Setting& setting : metadata.settings) {
    plan_file::Setting& to = *out.add_settings();
    to.set_name(setting.name);
    to.set_value(setting.value);
  }
  for (const ShapeRange& range : metadata.shapes) {
    plan_file::ShapeRange& to = *out.add_shapes();
    to.set_input(range.input);
    to.mutable_min()->Add(range.min.begin(), range.min.end());
    to.mutable_opt()->Add(range.opt.begin(), range.opt.end());
    to.mutable_max()->Add(range.max.begin(), range.max.end());
    to.set_profile(range.profile);
  }
  for (const Layer& layer : metadata.layers) write_layer(layer, *out.add_layers());
  for (const std::string& note : metadata.notes) out.add_notes(note);
}

}  // namespace

uint64_t WeightLayout::place(std::span<const std::byte> elements) {
  if (elements.empty()) return 0;
  const auto [at, fresh] = placed_.try_emplace({elements.data(), elements.size()}, size_);
  if (fresh) {
    pieces_.push_back({size_, elements});
    size_ = (size_ + elements.size() + kAlignment - 1) / kAlignment * kAlignment;
  }
  return at->second;
}

void WeightLayout::copy_to(std::byte* section) const {
  for (const Piece& piece : pieces_)
    std::memcpy(section + piece.offset, piece.elements.data(), piece.elements.size());
}

std::string encode_structure(const Plan& plan, WeightLayout& weights) {
  plan_file::Plan message;
  write_graph(plan.graph, weights, *message.mutable_graph());
  for (const Loadable& loadable : plan.loadables) message.add_loadables()->set_name(loadable.name);
  for (const DeviceCode& code : plan.device_code)
    message.add_device_code()->set_architecture(code.architecture);
  write_metadata(plan.metadata, *message.mutable_metadata());
  std::string bytes;
  if (!message.SerializeToString(&bytes))
    fail("the plan's structure is larger than the 2 GiB that its file format holds");
  return bytes;
}

}  // namespace dlaexec::plan
