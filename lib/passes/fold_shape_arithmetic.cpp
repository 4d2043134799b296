#include <algorithm>

#include "ir/infer.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace dlaexec::passes {
namespace {

/// The integers @p elements as a tensor of @p type.
ir::Tensor tensor_of(ir::DataType type, const ir::Dims& dims, const ir::Ints& elements) {
  return ir::Tensor::of<int64_t>(dims, elements).converted(type);
}

/// Makes @p id a constant if all its elements follow from known dimensions.
bool fold_value(ir::Graph& graph, const ir::Inference& inference, ir::ValueId id) {
  ir::Value& value = graph.value(id);
  const bool is_integer = value.type == ir::DataType::Int64 || value.type == ir::DataType::Int32;
  const auto elements = is_integer ? inference.known_ints(id) : std::nullopt;
  if (!elements) return false;
  const ir::Dims dims = inference.contents(id)->dims;
  value.constant = tensor_of(value.type, dims, *elements);
  value.shape = ir::shape_of(dims);
  return true;
}

/// The target of a reshape with 0 where a symbol is copied and -1 for one other, if that says all.
std::optional<ir::Ints> constant_target(const ir::Graph& graph, const ir::Node& reshape,
                                        const ir::Contents& target) {
  const bool zero_copies = !reshape.get<ir::ReshapeAttributes>().allow_zero;
  const ir::Shape& from = graph.value(reshape.inputs[0]).shape;
  ir::Ints result;
  bool inferred = false;
  for (size_t i = 0; i < target.elements.size(); ++i) {
    const ir::Dim& dim = target.elements[i];
    if (dim.is_known()) {
      inferred |= dim.value == -1;
      result.push_back(dim.value);
    } else if (zero_copies && i < from.size() && from[i] == dim) {
      result.push_back(0);
    } else if (!inferred) {
      inferred = true;
      result.push_back(-1);
    } else {
      return std::nullopt;
    }
  }
  if (std::count(result.begin(), result.end(), -1) > 1) return std::nullopt;
  return result;
}

bool fold_reshape_target(ir::Graph& graph, const ir::Inference& inference, ir::Node& node) {
  if (node.op != ir::Op::Reshape || graph.constant(node, 1)) return false;
  const ir::Contents* target = inference.contents(node.inputs[1]);
  const auto elements = target ? constant_target(graph, node, *target) : std::nullopt;
  if (!elements) return false;
  node.inputs[1] = graph.add_constant(graph.value(node.inputs[1]).name,
                                      ir::Tensor::of<int64_t>({std::ssize(*elements)}, *elements));
  return true;
}

}  // namespace

bool fold_shape_arithmetic(ir::Graph& graph) {
  ir::Inference inference(graph);
  std::vector<int> folded;
  bool changed = false;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    ir::Node& node = graph.nodes[i];
    inference.visit(node);
    changed |= fold_reshape_target(graph, inference, node);
    const bool all = std::all_of(node.outputs.begin(), node.outputs.end(), [&](ir::ValueId id) {
      return id == ir::kNoValue || fold_value(graph, inference, id);
    });
    if (all) folded.push_back(static_cast<int>(i));
  }
  erase_nodes(graph, folded);
  return changed || !folded.empty();
}

}  // namespace dlaexec::passes
