#include "build/edges.h"

#include <algorithm>

#include "ir/dla_formats.h"
#include "place/formats.h"

namespace dlaexec::build {
namespace {

void require_count(std::string_view flag, std::string_view what, size_t entries, size_t edges) {
  if (entries <= 1 || entries == edges) return;
  fail(
      "The number of {} must match the number of {}: {} given, the network has {}; one for all is "
      "allowed too",
      flag, what, entries, edges);
}

bool allows(const place::EdgeFormat& edge, ir::Format format) {
  return std::find(edge.formats.begin(), edge.formats.end(), format) != edge.formats.end();
}

/// What the DLA takes as it is, then linear, then whatever comes first.
ir::Format choose_format(const place::EdgeFormat& edge, const place::Crossing* crossing) {
  if (crossing && crossing->type == edge.type) {
    for (const ir::Format format : edge.formats)
      if (ir::at_dla(format) == crossing->format) return crossing->format;
  }
  return allows(edge, ir::Format::Linear) ? ir::Format::Linear : edge.formats.front();
}

void apply_edge(ir::Graph& graph, ir::ValueId id, const place::EdgeFormat& edge,
                const place::Crossing* crossing) {
  ir::Value& value = graph.value(id);
  const bool quantized = value.type == ir::DataType::Int8 && value.quantization.is_known();
  if (!ir::is_float(value.type) && !quantized && edge.type != value.type)
    fail("tensor '{}' holds {}; it cannot be {} at the network's edge", value.name,
         ir::text(value.type), ir::text(edge.type));
  if (ir::is_float(value.type) && edge.type == ir::DataType::Int8 && !value.quantization.is_known())
    fail(
        "tensor '{}' is to be INT8 at the network's edge, but its range is not known; give a "
        "calibration cache that names it",
        value.name);
  value.type = edge.type;
  value.format = choose_format(edge, crossing);
  if (value.constant && value.constant->type() != value.type)
    value.constant = value.constant->converted(value.type);
}

void apply_side(ir::Graph& graph, const std::vector<ir::ValueId>& edges,
                const std::vector<place::EdgeFormat>& wishes, const place::Placement& placement,
                std::vector<place::Crossing> place::Segment::*side) {
  for (size_t i = 0; i < edges.size() && !wishes.empty(); ++i)
    apply_edge(graph, edges[i], wishes[wishes.size() == 1 ? 0 : i],
               place::crossing_of(placement.segments, side, graph.value(edges[i]).name));
}

std::vector<place::EdgeFormat> typed_as_model(const ir::Graph& graph,
                                              const std::vector<ir::ValueId>& edges,
                                              const std::vector<place::EdgeFormat>& wishes) {
  std::vector<place::EdgeFormat> typed;
  for (size_t i = 0; i < edges.size() && !wishes.empty(); ++i)
    typed.push_back({graph.value(edges[i]).type, place::wish_at(wishes, i)->formats});
  return typed;
}

}  // namespace

Options with_edge_types(const ir::Graph& graph, Options options) {
  if (options.edge_types == EdgeTypes::Given) return options;
  options.input_formats = typed_as_model(graph, graph.inputs, options.input_formats);
  options.output_formats = typed_as_model(graph, graph.outputs, options.output_formats);
  return options;
}

void require_counts(const ir::Graph& graph, const Options& options) {
  require_count("inputIOFormats", "inputs", options.input_formats.size(), graph.inputs.size());
  require_count("outputIOFormats", "outputs", options.output_formats.size(), graph.outputs.size());
}

bool has_int8_edge(const Options& options) {
  const auto is_int8 = [](const place::EdgeFormat& edge) {
    return edge.type == ir::DataType::Int8;
  };
  return std::any_of(options.input_formats.begin(), options.input_formats.end(), is_int8) ||
         std::any_of(options.output_formats.begin(), options.output_formats.end(), is_int8);
}

void apply_edges(ir::Graph& graph, const place::Placement& placement, const Options& options) {
  apply_side(graph, graph.inputs, options.input_formats, placement, &place::Segment::inputs);
  apply_side(graph, graph.outputs, options.output_formats, placement, &place::Segment::outputs);
}

}  // namespace dlaexec::build
