#include "ref/evaluate.h"

#include <new>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

Tensors call_op(const Call& call) {
  using ir::Op;
  switch (call.node().op) {
    case Op::Conv:
      return convolution(call);
    case Op::Deconv:
      return deconvolution(call);
    case Op::Gemm:
      return gemm(call);
    case Op::MatMul:
      return matmul(call);
    case Op::Activation:
      return activation(call);
    case Op::PRelu:
      return prelu(call);
    case Op::Unary:
      return unary(call);
    case Op::Elementwise:
      return elementwise(call);
    case Op::Scale:
      return scale(call);
    case Op::BatchNorm:
      return batch_norm(call);
    case Op::Pool:
      return pool(call);
    case Op::Reduce:
      return reduce(call);
    case Op::ArgReduce:
      return arg_reduce(call);
    case Op::Lrn:
      return lrn(call);
    case Op::Softmax:
      return softmax(call);
    case Op::Concat:
      return concat(call);
    case Op::Split:
      return split(call);
    case Op::Slice:
      return slice(call);
    case Op::Reshape:
    case Op::Flatten:
    case Op::Squeeze:
    case Op::Unsqueeze:
      return reshape(call);
    case Op::Transpose:
      return transpose(call);
    case Op::Pad:
      return pad(call);
    case Op::Resize:
      return resize(call);
    case Op::Cast:
      return cast(call);
    case Op::Identity:
    case Op::Reformat:
      return identity(call);
    case Op::Shape:
    case Op::Size:
      return shape(call);
    case Op::ConstantOfShape:
      return constant_of_shape(call);
    case Op::Range:
      return range(call);
    case Op::Gather:
      return gather(call);
    case Op::GatherElements:
      return gather_elements(call);
    case Op::GatherNd:
      return gather_nd(call);
    case Op::ScatterElements:
      return scatter_elements(call);
    case Op::ScatterNd:
      return scatter_nd(call);
    case Op::Expand:
      return expand(call);
    case Op::Tile:
      return tile(call);
    case Op::Where:
      return where(call);
    case Op::OneHot:
      return one_hot(call);
    case Op::Trilu:
      return trilu(call);
    case Op::DepthToSpace:
    case Op::SpaceToDepth:
      return depth(call);
    case Op::CumSum:
      return cumsum(call);
    case Op::TopK:
      return top_k(call);
    case Op::Unique:
      return unique(call);
    case Op::NonMaxSuppression:
      return non_max_suppression(call);
    case Op::NonZero:
      return nonzero(call);
    case Op::RoiAlign:
      return roi_align(call);
    case Op::GridSample:
      return grid_sample(call);
    case Op::Det:
      return det(call);
    case Op::Einsum:
      return einsum(call);
    case Op::InstanceNorm:
    case Op::GroupNorm:
      return channel_norm(call);
    case Op::LayerNorm:
    case Op::RmsNorm:
    case Op::LpNorm:
      return axis_norm(call);
    case Op::Lstm:
    case Op::Gru:
    case Op::Rnn:
      return recurrence(call);
    case Op::Quantize:
      return quantize(call);
    case Op::Dequantize:
      return dequantize(call);
    case Op::If:
      return condition(call);
    case Op::Loop:
      return loop(call);
    case Op::Scan:
      return scan(call);
    case Op::ForeignNode:
      fail("a loadable has no reference; the graph before placement has");
  }
  DLAEXEC_CHECK(false);
  return {};
}

/// A value that a body takes from the graphs around it.
const Tensor* find_captured(const Scope& scope, const std::string& name) {
  for (const Scope* at = &scope; at != nullptr; at = at->around) {
    if (at->graph == nullptr) continue;
    const auto id = at->graph->find_value(name);
    if (!id) continue;
    if (at->graph->value(*id).constant) return &*at->graph->value(*id).constant;
    const Tensor& value = (*at->values)[static_cast<size_t>(*id)];
    if (!is_absent(value)) return &value;
  }
  return nullptr;
}

void check_input(const ir::Value& value, const Tensor& tensor) {
  if (is_absent(tensor)) fail("the input '{}' is absent", value.name);
  if (tensor.type() != value.type)
    fail("the input '{}' is {}; it must be {}", value.name, text(tensor.type()), text(value.type));
}

/// Constants, inputs and what a body captures.
Tensors given_values(const ir::Graph& graph, const Tensors& inputs, const Scope& around) {
  if (inputs.size() != graph.inputs.size())
    fail("{} inputs are given; the graph '{}' has {}", inputs.size(), graph.name,
         graph.inputs.size());
  Tensors values(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i)
    if (graph.values[i].constant) values[i] = *graph.values[i].constant;
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_input(graph.value(graph.inputs[i]), inputs[i]);
    values[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  }
  if (around.graph == nullptr) return values;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!is_absent(values[i])) continue;
    const Tensor* captured = find_captured(around, graph.values[i].name);
    if (captured != nullptr) values[i] = *captured;
  }
  return values;
}

}  // namespace

Tensors evaluate(const ir::Graph& graph, const ir::Node& node, const Tensors& inputs,
                 const Scope& scope) {
  return in_context(
      [&] { return format("computing node '{}' ({})", node.name, info(node.op).text); },
      [&] {
        try {
          return call_op(Call(graph, node, inputs, scope));
        } catch (const std::bad_alloc&) {
          fail("there is not enough memory for it");
        }
      });
}

Tensors evaluate(const ir::Graph& graph, const ir::Node& node, const Tensors& inputs) {
  return evaluate(graph, node, inputs, Scope{});
}

Tensors run_all(const ir::Graph& graph, const Tensors& inputs, const Scope& around) {
  Tensors values = given_values(graph, inputs, around);
  const Scope scope{&graph, &values, &around};
  for (const ir::Node& node : graph.nodes) {
    Tensors operands;
    for (const ir::ValueId id : node.inputs)
      operands.push_back(id == ir::kNoValue ? Tensor() : values[static_cast<size_t>(id)]);
    Tensors results = evaluate(graph, node, operands, scope);
    for (size_t i = 0; i < node.outputs.size() && i < results.size(); ++i)
      if (node.outputs[i] != ir::kNoValue)
        values[static_cast<size_t>(node.outputs[i])] = std::move(results[i]);
  }
  return values;
}

Tensors run_all(const ir::Graph& graph, const Tensors& inputs) {
  return run_all(graph, inputs, Scope{});
}

Tensors run(const ir::Graph& graph, const Tensors& inputs) {
  const Tensors values = run_all(graph, inputs);
  Tensors outputs;
  for (const ir::ValueId id : graph.outputs) outputs.push_back(values[static_cast<size_t>(id)]);
  return outputs;
}

}  // namespace dlaexec::ref
