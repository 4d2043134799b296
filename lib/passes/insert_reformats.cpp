#include <algorithm>
#include <map>

#include "ir/dla_formats.h"
#include "passes/passes.h"
#include "passes/types.h"

namespace dlaexec::passes {
namespace {

/// What a user of a tensor asks for, and where the change is made.
struct Wanted {
  ir::DataType type;
  ir::Format format;
  int segment = -1;  ///< the DLA segment that makes the change itself; -1: the GPU does
  auto operator<=>(const Wanted&) const = default;
};

std::string reformatted_name(const ir::Value& value, const Wanted& wanted) {
  std::string name = format("{}.{}", value.name, ir::text(wanted.type));
  if (wanted.format != ir::Format::Linear) name += format(".{}", ir::text(wanted.format));
  return name;
}

ir::Node reformat_node(std::string name, ir::ValueId from, ir::ValueId to, int segment) {
  ir::Node node;
  node.op = ir::Op::Reformat;
  node.attributes = ir::default_attributes(ir::Op::Reformat);
  node.name = std::move(name);
  node.inputs = {from};
  node.outputs = {to};
  node.device = segment < 0 ? ir::Device::Gpu : ir::Device::Dla;
  node.segment = segment;
  return node;
}

/// One use of a network input.
struct Reader {
  bool on_dla;
  int segment;
  bool takes_picture;  ///< as the data of a convolution of at most 4 groups
};

/// Rebuilds the node list with reformats between its nodes.
class Inserter {
 public:
  explicit Inserter(ir::Graph& graph)
      : graph_(graph), made_by_segment_(graph.values.size(), -1), readers_(graph.values.size()) {
    for (const ir::Node& node : graph.nodes)
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (node.inputs[i] != ir::kNoValue)
          readers_[static_cast<size_t>(node.inputs[i])].push_back(
              {on_dla(node), node.segment,
               i == 0 && node.op == ir::Op::Conv && node.get<ir::ConvAttributes>().groups <= 4});
  }

  bool run() {
    std::vector<ir::Node> before = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (ir::Node& node : before) {
      feed(node);
      const std::vector<ir::Node> after = deliver(node, before);
      place(std::move(node));
      for (const ir::Node& reformat : after) place(reformat);
    }
    for (ir::Value& value : graph_.values)
      if (value.type != ir::DataType::Int8 && !value.constant) value.quantization = {};
    return changed_;
  }

 private:
  void place(ir::Node node) {
    for (const ir::ValueId id : node.outputs) {
      if (id == ir::kNoValue) continue;
      made_by_segment_.resize(graph_.values.size(), -1);
      made_by_segment_[static_cast<size_t>(id)] = on_dla(node) ? node.segment : -1;
    }
    graph_.nodes.push_back(std::move(node));
  }

  ir::ValueId add_value(ir::ValueId like, const Wanted& wanted) {
    ir::Value value = graph_.value(like);
    value.name = reformatted_name(value, wanted);
    value.type = wanted.type;
    value.format = wanted.format;
    value.constant.reset();
    changed_ = true;
    return graph_.add_value(std::move(value));
  }

  /// A segment whose convolutions alone read a network input of up to 4 channels takes it as a
  /// picture, not padded to a whole atom.
  bool reads_picture(const ir::Node& node, ir::ValueId id) const {
    const ir::Shape& shape = graph_.value(id).shape;
    if (!graph_.is_input(id) || shape.size() != 4 || !shape[1].is_known()) return false;
    const int64_t channels = shape[1].value;
    if (channels != 1 && channels != 3 && channels != 4) return false;
    const auto& readers = readers_[static_cast<size_t>(id)];
    return std::all_of(readers.begin(), readers.end(), [&](const Reader& reader) {
      return !reader.on_dla || reader.segment != node.segment || reader.takes_picture;
    });
  }

  /// What input @p index of @p node asks of @p id; the value's own type and format if it fits.
  Wanted wanted_by(const ir::Node& node, size_t index, ir::ValueId id) const {
    const ir::Value& value = graph_.value(id);
    const Role role = role_of(graph_, node, index);
    const Wanted as_it_is{value.type, value.format, -1};
    if (node.op == ir::Op::Reformat || role == Role::Other || !is_real(value)) return as_it_is;
    const ir::DataType type = role == Role::Parameter
                                  ? ir::DataType::Float32
                                  : node.precision.value_or(ir::DataType::Float32);
    if (!on_dla(node)) return {type, ir::Format::Linear, -1};

    const bool inside = made_by_segment_[static_cast<size_t>(id)] == node.segment;
    const bool readable = inside || ir::is_dla_format(value.format, value.type);
    if (readable && value.type == type) return as_it_is;
    if (readable) return {type, ir::Format::Linear, node.segment};
    return {type, reads_picture(node, id) ? ir::Format::DlaHwc4 : ir::cut_format(type), -1};
  }

  /// Puts reformats before @p node for the inputs that do not fit.
  void feed(ir::Node& node) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      if (id == ir::kNoValue || graph_.value(id).constant) continue;
      const ir::Value& value = graph_.value(id);
      const Wanted wanted = wanted_by(node, i, id);
      if (wanted.type == value.type && wanted.format == value.format) continue;
      if (wanted.type == ir::DataType::Int8 && !value.quantization.is_known())
        fail(
            "layer '{}' is to compute in INT8, but nothing is known of the range of '{}'; give a "
            "calibration cache that names it, or another precision for the layer",
            node.name, value.name);
      const auto [at, fresh] = reformatted_.try_emplace({id, wanted}, ir::kNoValue);
      if (fresh) {
        at->second = add_value(id, wanted);
        place(reformat_node(format("Reformatting CopyNode for Input Tensor {} to {}", i, node.name),
                            id, at->second, wanted.segment));
      }
      node.inputs[i] = at->second;
    }
  }

  /// Lets @p node make what it makes best where the network's output is something else, and gives
  /// the reformats from the one to the other. @p later are the nodes that may use the output too.
  std::vector<ir::Node> deliver(ir::Node& node, std::vector<ir::Node>& later) {
    std::vector<ir::Node> reformats;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ir::ValueId id = node.outputs[i];
      if (id == ir::kNoValue || !graph_.is_output(id) || node.op == ir::Op::Reformat) continue;
      const ir::Value& value = graph_.value(id);
      const ir::DataType type = delivered_type(graph_, node, id);
      const bool direct =
          on_dla(node) && ir::is_dla_format(value.format, value.type, ir::Edge::Output);
      const Wanted made{type, on_dla(node) && !direct ? ir::cut_format(type) : ir::Format::Linear,
                        direct ? node.segment : -1};
      const bool fits = type == value.type && (direct || made.format == value.format);
      if (fits) continue;
      const ir::ValueId inner = add_value(id, made);
      node.outputs[i] = inner;
      for (ir::Node& user : later) std::replace(user.inputs.begin(), user.inputs.end(), id, inner);
      reformats.push_back(
          reformat_node(format("Reformatting CopyNode for Output Tensor {} to {}", i, node.name),
                        inner, id, made.segment));
    }
    return reformats;
  }

  ir::Graph& graph_;
  std::vector<int> made_by_segment_;  ///< of each value: the DLA segment that makes it, or -1
  std::vector<std::vector<Reader>> readers_;  ///< of each value that was there at first
  std::map<std::pair<ir::ValueId, Wanted>, ir::ValueId> reformatted_;
  bool changed_ = false;
};

}  // namespace

bool insert_reformats(ir::Graph& graph) { return Inserter(graph).run(); }

}  // namespace dlaexec::passes
