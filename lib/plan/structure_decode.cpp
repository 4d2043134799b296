#include <unordered_set>

#include "ir/verify.h"
#include "plan.pb.h"
#include "plan/structure.h"

namespace dlaexec::plan {
namespace {

/// Ends reading: the checksums agree, but what was written makes no sense.
template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> pattern, Args&&... args) {
  fail("the plan is damaged: {}; build it again",
       format_text(pattern, fmt::make_format_args(args...)));
}

template <class Enum>
Enum read_enum(const std::string& name, std::string_view what) {
  const auto value = ir::parse_enum<Enum>(name);
  if (!value) refuse("'{}' is no {}", name, what);
  return *value;
}

ir::Graph read_graph(const plan_file::Graph& from, const WeightBytes& weights);

/// Fills the members of an attribute struct from the Attributes of the same names.
class AttributeReader {
 public:
  AttributeReader(const plan_file::Node& from, const WeightBytes& weights)
      : from_(from), weights_(weights) {}

  template <class T>
  void operator()(const char* name, T& member) {
    for (const plan_file::Attribute& attribute : from_.attributes()) {
      if (attribute.name() != name) continue;
      read(attribute, member);
      ++found_;
      return;
    }
  }
  /// A member that is not in the file keeps its default; one that only the file has is refused.
  void require_all_used() const {
    if (found_ != from_.attributes_size())
      refuse("node '{}' has attributes that op '{}' does not know", from_.name(), from_.op());
  }

 private:
  void read(const plan_file::Attribute& at, bool& member) const { member = at.integer() != 0; }
  void read(const plan_file::Attribute& at, int64_t& member) const { member = at.integer(); }
  void read(const plan_file::Attribute& at, float& member) const {
    member = static_cast<float>(at.number());
  }
  void read(const plan_file::Attribute& at, double& member) const { member = at.number(); }
  void read(const plan_file::Attribute& at, std::string& member) const { member = at.text(); }
  template <ir::TextEnum Enum>
  void read(const plan_file::Attribute& at, Enum& member) const {
    member = read_enum<Enum>(at.text(), at.name());
  }
  void read(const plan_file::Attribute& at, ir::Ints& member) const {
    member.assign(at.integers().begin(), at.integers().end());
  }
  void read(const plan_file::Attribute& at, ir::Floats& member) const {
    member.assign(at.numbers().begin(), at.numbers().end());
  }
  void read(const plan_file::Attribute& at, ir::Strings& member) const {
    member.assign(at.texts().begin(), at.texts().end());
  }
  void read(const plan_file::Attribute& at, ir::Subgraph& member) const {
    if (at.has_graph()) member = std::make_shared<ir::Graph>(read_graph(at.graph(), weights_));
  }

  const plan_file::Node& from_;
  const WeightBytes& weights_;
  int found_ = 0;
};

ir::Tensor read_constant(const plan_file::Value& from, const ir::Value& value,
                         const WeightBytes& weights) {
  const uint64_t offset = from.constant().offset(), size = from.constant().size();
  if (!ir::is_static(value.shape)) refuse("constant '{}' has an unknown dimension", value.name);
  const ir::Dims dims = ir::dims_of(value.shape);
  const uint64_t held = weights.bytes.size();
  if (offset % 64 != 0 || offset > held || size > held - offset)
    refuse("constant '{}' lies outside the weights", value.name);
  const auto count = static_cast<uint64_t>(ir::volume(dims));
  if (count > size || count * ir::size_bytes(value.type) != size)
    refuse("constant '{}' is {} of {} in {} bytes", value.name, ir::to_text(dims),
           ir::text(value.type), size);
  return ir::Tensor(value.type, dims, weights.bytes.subspan(offset, size), weights.owner);
}

ir::Value read_value(const plan_file::Value& from, const WeightBytes& weights) {
  ir::Value value;
  value.name = from.name();
  value.type = read_enum<ir::DataType>(from.type(), "element type");
  for (const plan_file::Dim& dim : from.shape()) {
    if (dim.symbol().empty() && dim.value() < 0)
      refuse("value '{}' has the dimension {}", from.name(), dim.value());
    ir::Dim read(dim.value());
    read.symbol = dim.symbol();
    value.shape.push_back(std::move(read));
  }
  if (from.has_constant()) value.constant = read_constant(from, value, weights);
  value.quantization.scales.assign(from.scales().begin(), from.scales().end());
  value.quantization.axis = from.scale_axis();
  value.format = read_enum<ir::Format>(from.format(), "tensor format");
  return value;
}

ir::Node read_node(const plan_file::Node& from, const WeightBytes& weights) {
  ir::Node node;
  const auto op = ir::parse_op(from.op());
  if (!op) refuse("'{}' is no op", from.op());
  node.op = *op;
  node.name = from.name();
  node.inputs.assign(from.inputs().begin(), from.inputs().end());
  node.outputs.assign(from.outputs().begin(), from.outputs().end());
  node.attributes = ir::default_attributes(node.op);
  std::visit(
      [&](auto& attributes) {
        AttributeReader reader(from, weights);
        attributes.fields(attributes, reader);
        reader.require_all_used();
      },
      node.attributes);
  node.origins.assign(from.origins().begin(), from.origins().end());
  if (!from.device().empty()) node.device = read_enum<ir::Device>(from.device(), "device");
  node.segment = from.segment();
  if (!from.precision().empty())
    node.precision = read_enum<ir::DataType>(from.precision(), "precision");
  return node;
}

void require_ids(const ir::Graph& graph, const std::vector<ir::ValueId>& ids, bool may_be_absent,
                 const std::string& where) {
  for (const ir::ValueId id : ids)
    if (id < (may_be_absent ? ir::kNoValue : 0) || id >= std::ssize(graph.values))
      refuse("{} names value {} of {}", where, id, graph.values.size());
}

void require_unique_names(const ir::Graph& graph) {
  std::unordered_set<std::string_view> names;
  for (const ir::Value& value : graph.values)
    if (!names.insert(value.name).second) refuse("two values are named '{}'", value.name);
}

ir::Graph read_graph(const plan_file::Graph& from, const WeightBytes& weights) {
  ir::Graph graph;
  graph.name = from.name();
  graph.values.reserve(static_cast<size_t>(from.values_size()));
  for (const plan_file::Value& value : from.values())
    graph.values.push_back(read_value(value, weights));
  graph.nodes.reserve(static_cast<size_t>(from.nodes_size()));
  for (const plan_file::Node& node : from.nodes()) graph.nodes.push_back(read_node(node, weights));
  graph.inputs.assign(from.inputs().begin(), from.inputs().end());
  graph.outputs.assign(from.outputs().begin(), from.outputs().end());

  require_unique_names(graph);
  for (const ir::Node& node : graph.nodes) {
    require_ids(graph, node.inputs, true, "node '" + node.name + "'");
    require_ids(graph, node.outputs, true, "node '" + node.name + "'");
  }
  require_ids(graph, graph.inputs, false, "the input list");
  require_ids(graph, graph.outputs, false, "the output list");
  return graph;
}

Layer read_layer(const plan_file::Layer& from) {
  Layer layer;
  layer.name = from.name();
  layer.type = from.type();
  layer.device = read_enum<ir::Device>(from.device(), "device");
  layer.precision = read_enum<ir::DataType>(from.precision(), "precision");
  layer.step = from.step();
  for (const plan_file::Finding& finding : from.findings())
    layer.findings.push_back({finding.rule(), finding.value(), finding.limit(), finding.reason(),
                              finding.source(), finding.log(),
                              read_enum<ir::Effect>(finding.effect(), "effect")});
  return layer;
}

Metadata read_metadata(const plan_file::Metadata& from) {
  Metadata metadata;
  metadata.tool_version = from.tool_version();
  metadata.model = from.model();
  metadata.model_hash = from.model_hash();
  metadata.platform = from.platform();
  metadata.power_mode = from.power_mode();
  metadata.dla_core = from.dla_core();
  for (const plan_file::Setting& setting : from.settings())
    metadata.settings.push_back({setting.name(), setting.value()});
  for (const plan_file::ShapeRange& range : from.shapes())
    metadata.shapes.push_back({range.input(),
                               {range.min().begin(), range.min().end()},
                               {range.opt().begin(), range.opt().end()},
                               {range.max().begin(), range.max().end()},
                               range.profile()});
  for (const ShapeRange& range : metadata.shapes)
    if (range.min.size() != range.opt.size() || range.max.size() != range.opt.size())
      refuse("the shapes of input '{}' have different ranks", range.input);
  for (const plan_file::Layer& layer : from.layers()) metadata.layers.push_back(read_layer(layer));
  metadata.notes.assign(from.notes().begin(), from.notes().end());
  return metadata;
}

}  // namespace

Plan decode_structure(std::span<const std::byte> structure, const WeightBytes& weights) {
  plan_file::Plan message;
  if (structure.size() > INT32_MAX ||
      !message.ParseFromArray(structure.data(), static_cast<int>(structure.size())))
    refuse("its structure cannot be decoded");
  Plan plan;
  plan.graph = read_graph(message.graph(), weights);
  for (const plan_file::Loadable& loadable : message.loadables())
    plan.loadables.push_back({loadable.name(), {}, nullptr});
  for (const plan_file::DeviceCode& code : message.device_code())
    plan.device_code.push_back({code.architecture(), {}, nullptr});
  for (const ir::Node& node : plan.graph.nodes) {
    const auto* foreign = std::get_if<ir::ForeignNodeAttributes>(&node.attributes);
    if (foreign && (foreign->loadable < 0 || foreign->loadable >= std::ssize(plan.loadables)))
      refuse("step '{}' names loadable {} of {}", node.name, foreign->loadable,
             plan.loadables.size());
  }
  if (const std::string flaw = ir::find_flaw(plan.graph); !flaw.empty()) refuse("{}", flaw);
  plan.metadata = read_metadata(message.metadata());
  return plan;
}

}  // namespace dlaexec::plan
