#include "place/formats.h"

#include <algorithm>
#include <unordered_set>

#include "ir/dla_formats.h"
#include "ir/type_flags.h"

namespace dlaexec::place {
namespace {

using namespace ir;

/// The type that the segment's layers see a tensor in: FP16 unless all of them take INT8.
DataType type_inside(const Graph& graph, const std::vector<int>& nodes, ValueId id) {
  if (!graph.value(id).quantization.is_known()) return DataType::Float16;
  for (const int index : nodes) {
    const Node& node = graph.nodes[static_cast<size_t>(index)];
    const bool reads = std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
    if (reads && node.precision != DataType::Int8) return DataType::Float16;
  }
  return DataType::Int8;
}

/// True if the convolutions of the segment that read @p id could take it as HWC4.
bool fits_hwc4(const Graph& graph, const std::vector<int>& nodes, ValueId id) {
  const Shape& shape = graph.value(id).shape;
  if (shape.size() != 4 || !shape[1].is_known()) return false;
  const int64_t channels = shape[1].value;
  if (channels != 1 && channels != 3 && channels != 4) return false;
  for (const int index : nodes) {
    const Node& node = graph.nodes[static_cast<size_t>(index)];
    const auto reads = std::count(node.inputs.begin(), node.inputs.end(), id);
    if (reads == 0) continue;
    if (node.op != Op::Conv || reads > 1 || node.get<ConvAttributes>().groups > 4) return false;
  }
  return true;
}

const EdgeFormat* wish_for(const std::vector<ValueId>& edges, const std::vector<EdgeFormat>& wishes,
                           ValueId id) {
  const auto found = std::find(edges.begin(), edges.end(), id);
  if (found == edges.end()) return nullptr;
  return wish_at(wishes, static_cast<size_t>(found - edges.begin()));
}

/// Follows the user's wish where it names a type and format that the DLA has.
void follow(const EdgeFormat* wish, Edge edge, Crossing& crossing) {
  if (!wish || wish->type != crossing.type) return;
  for (const Format format : wish->formats) {
    if (!is_dla_format(at_dla(format), crossing.type, edge)) continue;
    crossing.format = at_dla(format);
    return;
  }
}

/// The type that @p node delivers @p id in.
DataType type_made(const Graph& graph, const Node& node, ValueId id) {
  const bool quantized = graph.value(id).quantization.is_known();
  return node.precision == DataType::Int8 && quantized ? DataType::Int8 : DataType::Float16;
}

int64_t bytes_of(const Graph& graph, ValueId id, DataType type) {
  const Shape& shape = graph.value(id).shape;
  return is_static(shape) ? volume(dims_of(shape)) * static_cast<int64_t>(size_bytes(type)) : 0;
}

bool meets(const EdgeFormat& edge, const Crossing& crossing) {
  return edge.type == crossing.type &&
         std::any_of(edge.formats.begin(), edge.formats.end(),
                     [&](Format format) { return at_dla(format) == crossing.format; });
}

/// What one side of the network needs so that no reformat stands there.
struct Side {
  std::vector<std::string> flags;      ///< one "type:format" per edge, as it should be
  std::vector<std::string> obstacles;  ///< "input 'image' is fp32:chw"
};

Side examine(const Graph& graph, const Placement& placement, const std::vector<ValueId>& edges,
             const std::vector<EdgeFormat>& wishes, std::vector<Crossing> Segment::*side,
             std::string_view what) {
  Side result;
  for (size_t i = 0; i < edges.size(); ++i) {
    const std::string& name = graph.value(edges[i]).name;
    const EdgeFormat* wish = wish_at(wishes, i);
    const EdgeFormat edge = wish ? *wish : EdgeFormat{};
    const Crossing* crossing = crossing_of(placement.segments, side, name);
    if (!crossing || meets(edge, *crossing)) {
      result.flags.push_back(flag_text(edge));
      continue;
    }
    result.flags.push_back(flag_text({crossing->type, {crossing->format}}));
    result.obstacles.push_back(format("{} '{}' is {}", what, name, flag_text(edge)));
  }
  return result;
}

std::string as_flag(std::string_view name, const std::vector<std::string>& values) {
  const bool same = std::all_of(values.begin(), values.end(),
                                [&](const std::string& value) { return value == values.front(); });
  return format("--{}={}", name, same ? values.front() : join(values, ","));
}

}  // namespace

std::string flag_text(const EdgeFormat& edge) {
  return format("{}:{}", ir::flag_text(edge.type),
                join(edge.formats, "+", [](Format f) { return std::string(text(f)); }));
}

const Crossing* crossing_of(const std::vector<Segment>& segments,
                            std::vector<Crossing> Segment::*side, const std::string& tensor) {
  for (const Segment& segment : segments)
    for (const Crossing& crossing : segment.*side)
      if (crossing.tensor == tensor) return &crossing;
  return nullptr;
}

const EdgeFormat* wish_at(const std::vector<EdgeFormat>& wishes, size_t position) {
  if (wishes.empty()) return nullptr;
  if (wishes.size() == 1) return &wishes[0];
  DLAEXEC_CHECK(position < wishes.size());
  return &wishes[position];
}

Links::Links(const Graph& graph) : made_by(producers(graph)), used_by(uses(graph)) {}

void choose_formats(const Graph& graph, const Links& links, const std::vector<int>& nodes,
                    const Options& options, Segment& segment) {
  const std::unordered_set<int> inside(nodes.begin(), nodes.end());
  std::unordered_set<ValueId> met;
  for (const int index : nodes) {
    const Node& node = graph.nodes[static_cast<size_t>(index)];
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || graph.value(id).constant) continue;
      if (inside.contains(links.made_by[static_cast<size_t>(id)]) || !met.insert(id).second)
        continue;
      const DataType type = type_inside(graph, nodes, id);
      Crossing crossing{graph.value(id).name, type, {}, bytes_of(graph, id, type)};
      const bool picture = graph.is_input(id) && fits_hwc4(graph, nodes, id);
      crossing.format = picture ? Format::DlaHwc4 : cut_format(crossing.type);
      follow(wish_for(graph.inputs, options.input_formats, id), Edge::Input, crossing);
      segment.inputs.push_back(crossing);
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      const std::vector<int>& users = links.used_by[static_cast<size_t>(id)];
      const bool leaves =
          graph.is_output(id) ||
          std::any_of(users.begin(), users.end(), [&](int user) { return !inside.contains(user); });
      if (!leaves) continue;
      const DataType type = type_made(graph, node, id);
      Crossing crossing{graph.value(id).name, type, {}, bytes_of(graph, id, type)};
      crossing.format = cut_format(crossing.type);
      follow(wish_for(graph.outputs, options.output_formats, id), Edge::Output, crossing);
      segment.outputs.push_back(crossing);
    }
  }
}

void require_direct_edges(const Graph& graph, const Placement& placement, const Options& options) {
  const Side inputs =
      examine(graph, placement, graph.inputs, options.input_formats, &Segment::inputs, "input");
  const Side outputs =
      examine(graph, placement, graph.outputs, options.output_formats, &Segment::outputs, "output");
  std::vector<std::string> obstacles = inputs.obstacles;
  obstacles.insert(obstacles.end(), outputs.obstacles.begin(), outputs.obstacles.end());
  if (obstacles.empty()) return;
  fail(
      "without GPU fallback nothing may convert the network's inputs and outputs for the DLA, and "
      "{}; give {} {} (or --allowGPUFallback)",
      join(obstacles, ", "), as_flag("inputIOFormats", inputs.flags),
      as_flag("outputIOFormats", outputs.flags));
}

}  // namespace dlaexec::place
