#include "ir/verify.h"

#include <unordered_set>

#include "base/error.h"
#include "base/log.h"

namespace dlaexec::ir {
namespace {

bool in_range(const Graph& graph, ValueId id) {
  return id >= 0 && static_cast<size_t>(id) < graph.values.size();
}

std::string node_text(const Node& node) {
  return format("node '{}' ({})", node.name, info(node.op).text);
}

std::string value_flaw(const Graph& graph) {
  std::unordered_set<std::string_view> names;
  for (const Value& value : graph.values) {
    if (!names.insert(value.name).second) return format("two values are called '{}'", value.name);
    if (value.constant && value.constant->type() != value.type)
      return format("the constant '{}' holds {}, its type is {}", value.name,
                    text(value.constant->type()), text(value.type));
    if (value.constant && shape_of(value.constant->dims()) != value.shape)
      return format("the constant '{}' holds {}, its shape is {}", value.name,
                    to_text(value.constant->dims()), to_text(value.shape));
    const size_t scales = value.quantization.scales.size();
    if (scales <= 1) continue;
    const int64_t axis = value.quantization.axis;
    const bool fits =
        axis >= 0 && axis < static_cast<int64_t>(value.shape.size()) &&
        (!value.shape[static_cast<size_t>(axis)].is_known() ||
         value.shape[static_cast<size_t>(axis)].value == static_cast<int64_t>(scales));
    if (!fits)
      return format("'{}' of shape {} has {} scales on axis {}", value.name, to_text(value.shape),
                    scales, axis);
  }
  for (const auto* ids : {&graph.inputs, &graph.outputs})
    for (const ValueId id : *ids)
      if (!in_range(graph, id)) return format("an input or output has the id {}", id);
  return {};
}

std::string arity_flaw(const Node& node) {
  const OpInfo& op = info(node.op);
  const auto count = static_cast<int>(node.inputs.size());
  if (count < op.least_inputs || count > op.most_inputs)
    return format("{} has {} inputs; {} to {} are allowed", node_text(node), count, op.least_inputs,
                  op.most_inputs);
  for (int i = 0; i < op.least_inputs && i < 2; ++i)
    if (node.inputs[static_cast<size_t>(i)] == kNoValue && node.op != Op::Loop)
      return format("{} lacks its input {}", node_text(node), i);
  if (node.outputs.empty()) return format("{} has no output", node_text(node));
  if (node.attributes.index() != default_attributes(node.op).index())
    return format("{} carries the attributes of another op", node_text(node));
  return {};
}

/// Two operands of one type; typed graphs may mix what is a real number (f32, f16, scaled i8).
bool types_mix(const Graph& graph, ValueId a, ValueId b) {
  const Value& left = graph.value(a);
  const Value& right = graph.value(b);
  const auto real = [](const Value& value) {
    return is_float(value.type) || value.quantization.is_known();
  };
  return left.type == right.type || (real(left) && real(right));
}

std::string type_flaw(const Graph& graph, const Node& node) {
  const bool pairs = node.op == Op::Elementwise || node.op == Op::MatMul || node.op == Op::Gemm ||
                     node.op == Op::Conv || node.op == Op::Deconv;
  if (pairs && !types_mix(graph, node.inputs[0], node.inputs[1]))
    return format("{} computes with {} and {}", node_text(node),
                  text(graph.value(node.inputs[0]).type), text(graph.value(node.inputs[1]).type));
  return {};
}

std::string order_flaw(const Graph& graph) {
  std::vector<char> made(graph.values.size(), 0);
  std::vector<char> comes(graph.values.size(), 0);
  for (const Node& node : graph.nodes)
    for (const ValueId id : node.outputs)
      if (in_range(graph, id)) {
        if (comes[static_cast<size_t>(id)])
          return format("'{}' is made twice", graph.value(id).name);
        comes[static_cast<size_t>(id)] = 1;
      }
  for (const ValueId id : graph.inputs)
    if (comes[static_cast<size_t>(id)])
      return format("the input '{}' is made by a node", graph.value(id).name);
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      if (!in_range(graph, id)) return format("{} uses the id {}", node_text(node), id);
      if (comes[static_cast<size_t>(id)] && !made[static_cast<size_t>(id)])
        return format("{} uses '{}' before it is made", node_text(node), graph.value(id).name);
    }
    for (const ValueId id : node.outputs)
      if (id != kNoValue) {
        if (!in_range(graph, id)) return format("{} makes the id {}", node_text(node), id);
        made[static_cast<size_t>(id)] = 1;
      }
  }
  return {};
}

}  // namespace

std::string find_flaw(const Graph& graph) {
  if (std::string flaw = value_flaw(graph); !flaw.empty()) return flaw;
  std::unordered_set<std::string_view> names;
  for (const Node& node : graph.nodes) {
    if (!names.insert(node.name).second) return format("two nodes are called '{}'", node.name);
    if (std::string flaw = arity_flaw(node); !flaw.empty()) return flaw;
  }
  if (std::string flaw = order_flaw(graph); !flaw.empty()) return flaw;
  for (const Node& node : graph.nodes)
    if (std::string flaw = type_flaw(graph, node); !flaw.empty()) return flaw;
  return {};
}

void verify(const Graph& graph) {
  const std::string flaw = find_flaw(graph);
  if (flaw.empty()) return;
  log::error("the graph '{}' is not valid: {}", graph.name, flaw);
  DLAEXEC_CHECK(flaw.empty());
}

}  // namespace dlaexec::ir
