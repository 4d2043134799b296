#include "quant/ranges.h"

#include <algorithm>
#include <cmath>

namespace dlaexec::quant {
namespace {

using namespace ir;

void set_range(Graph& graph, ValueId id, float range) {
  if (id == kNoValue) return;
  Value& value = graph.value(id);
  if (takes_range(value) && !value.quantization.is_known())
    value.quantization.scales = {range / 127.0f};
}

/// Hands the input's range to the output of layers that only move values.
void pass_on_ranges(Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (!only_moves_values(node)) continue;
    const Value& input = graph.value(node.inputs[0]);
    if (!takes_range(input) || !input.quantization.is_known()) continue;
    const float range = input.quantization.scales[0] * 127.0f;
    for (const ValueId id : node.outputs) set_range(graph, id, range);
  }
}

}  // namespace

bool has_explicit_quantization(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.op == Op::Quantize || node.op == Op::Dequantize;
  });
}

bool takes_range(const Value& value) {
  return !value.constant && (is_float(value.type) || value.type == DataType::Int8);
}

bool only_moves_values(const Node& node) {
  switch (node.op) {
    case Op::Reshape:
    case Op::Flatten:
    case Op::Squeeze:
    case Op::Unsqueeze:
    case Op::Transpose:
    case Op::Slice:
    case Op::Split:
    case Op::Identity:
    case Op::Gather:
    case Op::Expand:
    case Op::Tile:
    case Op::DepthToSpace:
    case Op::SpaceToDepth:
      return true;
    case Op::Pool:
      return node.get<PoolAttributes>().kind == PoolKind::Max;
    default:
      return false;
  }
}

void apply_scales(Graph& graph, const Scales& scales) {
  for (Value& value : graph.values) {
    const auto found = scales.find(value.name);
    if (found == scales.end() || !takes_range(value)) continue;
    if (!std::isfinite(found->second) || found->second <= 0)
      fail("tensor '{}' has the scale {}; a scale is a positive number: its range / 127",
           value.name, found->second);
    value.quantization.scales = {found->second};
  }
  pass_on_ranges(graph);
}

void apply_fixed_ranges(Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) set_range(graph, id, node.op == Op::Concat ? 4.0f : 2.0f);
    for (const ValueId id : node.outputs) set_range(graph, id, node.op == Op::Pool ? 2.0f : 4.0f);
  }
}

std::vector<std::string> tensors_without_scale(const Graph& graph) {
  std::vector<char> met(graph.values.size(), 0);
  std::vector<std::string> names;
  const auto note = [&](ValueId id) {
    if (id == kNoValue || met[static_cast<size_t>(id)]++) return;
    const Value& value = graph.value(id);
    if (takes_range(value) && !value.quantization.is_known()) names.push_back(value.name);
  };
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) note(id);
    for (const ValueId id : node.outputs) note(id);
  }
  return names;
}

}  // namespace dlaexec::quant
