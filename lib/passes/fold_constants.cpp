#include <algorithm>
#include <array>

#include "base/log.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "ref/evaluate.h"

namespace dlaexec::passes {
namespace {

/// A small model must not become a huge plan: what grows beyond this from less stays a node.
constexpr size_t kFreeGrowthBytes = size_t{1} << 20;
/// What only grows, one node after the other, stays below this.
constexpr size_t kMostGrownBytes = size_t{1} << 28;

/// Subgraphs may use values that are not inputs; Q/DQ are kept for quantization to read.
bool is_foldable(ir::Op op) {
  switch (op) {
    case ir::Op::If:
    case ir::Op::Loop:
    case ir::Op::Scan:
    case ir::Op::Quantize:
    case ir::Op::Dequantize:
    case ir::Op::ForeignNode:
      return false;
    default:
      return true;
  }
}

bool has_constant_inputs(const ir::Graph& graph, const ir::Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId id) {
    return id == ir::kNoValue || graph.value(id).constant.has_value();
  });
}

/// The elements of a range of constants, whose shape only they tell.
double range_count(const ir::Graph& graph, const ir::Node& node) {
  std::array<double, 3> bounds{};
  for (size_t i = 0; i < bounds.size(); ++i)
    if (const ir::Tensor* bound = graph.constant(node, i); bound && bound->count() == 1)
      bounds[i] = bound->to_floats()[0];
  return (bounds[1] - bounds[0]) / bounds[2];
}

/// Ops whose results have no size but the one that an input's elements say.
bool makes_as_told(ir::Op op) {
  switch (op) {
    case ir::Op::ConstantOfShape:
    case ir::Op::Expand:
    case ir::Op::Tile:
    case ir::Op::Pad:
    case ir::Op::Resize:
    case ir::Op::OneHot:
      return true;
    default:
      return false;
  }
}

bool grows_too_much(const ir::Graph& graph, const ir::Node& node) {
  if (node.op == ir::Op::Range) return !(range_count(graph, node) * 8 < kFreeGrowthBytes);
  size_t in = 0, out = 0;
  for (const ir::ValueId id : node.inputs)
    if (id != ir::kNoValue) in += graph.value(id).constant->size_bytes();
  for (const ir::ValueId id : node.outputs) {
    if (id == ir::kNoValue) continue;
    const ir::Value& value = graph.value(id);
    if (!ir::is_static(value.shape) && makes_as_told(node.op)) return true;
    if (!ir::is_static(value.shape)) continue;
    out += static_cast<size_t>(ir::volume(ir::dims_of(value.shape))) * ir::size_bytes(value.type);
  }
  return out > std::max(kFreeGrowthBytes, 2 * in) || (out > in && out > kMostGrownBytes);
}

/// Makes the outputs of @p node constants.
void fold(ir::Graph& graph, const ir::Node& node) {
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : node.inputs)
    inputs.push_back(id == ir::kNoValue ? ir::Tensor() : *graph.value(id).constant);
  std::vector<ir::Tensor> outputs =
      in_context([&] { return format("computing node '{}' of constants", node.name); },
                 [&] { return ref::evaluate(graph, node, inputs); });
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == ir::kNoValue) continue;
    ir::Value& value = graph.value(node.outputs[i]);
    value.type = outputs[i].type();
    value.shape = ir::shape_of(outputs[i].dims());
    value.constant = std::move(outputs[i]);
  }
}

}  // namespace

namespace {

/// Computes the nodes that @p wanted admits and drops them.
template <class Wanted>
bool fold_nodes(ir::Graph& graph, Wanted&& wanted) {
  std::vector<int> folded;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    if (!has_constant_inputs(graph, node) || !wanted(node)) continue;
    fold(graph, node);
    folded.push_back(static_cast<int>(i));
  }
  erase_nodes(graph, folded);
  return !folded.empty();
}

}  // namespace

bool fold_constants(ir::Graph& graph) {
  return fold_nodes(graph, [&](const ir::Node& node) {
    return is_foldable(node.op) && !grows_too_much(graph, node);
  });
}

bool fold_dequantized(ir::Graph& graph) {
  return fold_nodes(graph, [](const ir::Node& node) { return node.op == ir::Op::Dequantize; });
}

}  // namespace dlaexec::passes
