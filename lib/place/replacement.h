// New layers in the place of one: what every rewrite of adjust.cpp is written with.
#pragma once

#include "ir/infer.h"
#include "passes/rewrite.h"

namespace dlaexec::place {

/// Makes the layers that stand in for one node, in front of it.
class Replacement {
 public:
  Replacement(const ir::Graph& graph, size_t index)
      : graph_(graph), index_(index), old_(graph.nodes[index]) {}

  const ir::Graph& graph() const { return graph_; }
  const ir::Node& old() const { return old_; }
  ir::ValueId input(size_t i) const { return ir::Graph::input(old_, i); }
  /// The dimensions of a value; empty while they are not known.
  ir::Dims dims(ir::ValueId id) const {
    const ir::Shape& shape = graph_.value(id).shape;
    return ir::is_static(shape) ? ir::dims_of(shape) : ir::Dims{};
  }
  /// An input's elements if they are constant floats.
  const ir::Tensor* floats(size_t i) const {
    const ir::Tensor* tensor = graph_.constant(old_, i);
    return tensor && tensor->type() == ir::DataType::Float32 ? tensor : nullptr;
  }

  ir::ValueId constant(std::string_view suffix, ir::Tensor tensor) {
    return graph_.add_constant(format("{}/{}", old_.name, suffix), std::move(tensor));
  }
  ir::ValueId numbers(std::string_view suffix, const std::vector<int64_t>& values) {
    return constant(suffix, ir::Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  /// Adds a layer that takes the old one's place in name, origins, wish and precision.
  ir::ValueId layer(std::string_view suffix, ir::Op op, std::vector<ir::ValueId> inputs,
                    ir::Attributes attributes) {
    const ir::Value& like = graph_.value(old_.outputs[0]);
    ir::Value value;
    value.name = format("{}/{}", old_.name, suffix);
    value.type = like.type;
    value.quantization = like.quantization;
    const ir::ValueId out = graph_.add_value(std::move(value));
    ir::Node node;
    node.op = op;
    node.name = format("{}/{}", old_.name, suffix);
    node.inputs = std::move(inputs);
    node.outputs = {out};
    node.attributes = std::move(attributes);
    node.origins = old_.origins;
    node.device = old_.device;
    node.precision = old_.precision;
    made_.push_back(std::move(node));
    return out;
  }
  ir::ValueId activation(std::string_view suffix, ir::ValueId x, ir::ActivationKind kind,
                         float alpha = 0, float beta = 0) {
    return layer(suffix, ir::Op::Activation, {x}, ir::ActivationAttributes{kind, alpha, beta});
  }
  ir::ValueId product(std::string_view suffix, ir::ValueId a, ir::ValueId b) {
    ir::ElementwiseAttributes attributes;
    attributes.kind = ir::ElementwiseKind::Prod;
    return layer(suffix, ir::Op::Elementwise, {a, b}, attributes);
  }
  ir::ValueId scale(std::string_view suffix, ir::ValueId x, ir::Tensor factor, float shift) {
    const ir::ValueId a = constant(format("{}.scale", suffix), std::move(factor));
    const ir::ValueId b = constant(format("{}.shift", suffix), ir::Tensor::of<float>({1}, {shift}));
    return layer(suffix, ir::Op::Scale, {x, a, b}, ir::NoAttributes{});
  }
  ir::ValueId scale(std::string_view suffix, ir::ValueId x, float factor, float shift) {
    return scale(suffix, x, ir::Tensor::of<float>({1}, {factor}), shift);
  }

  /// The graph with the new layers instead of the old one, whose value @p result now is.
  ir::Graph finish(ir::ValueId result) {
    const ir::ValueId before = old_.outputs[0];
    // The tensor keeps its name: users and calibration caches know it.
    std::swap(graph_.value(result).name, graph_.value(before).name);
    const auto at = graph_.nodes.begin() + static_cast<ptrdiff_t>(index_);
    const auto next = graph_.nodes.erase(at);
    passes::replace_uses(graph_, before, result);
    graph_.nodes.insert(next, made_.begin(), made_.end());
    ir::infer_shapes(graph_);
    return std::move(graph_);
  }

  const std::vector<ir::Node>& made() const { return made_; }

 private:
  ir::Graph graph_;
  size_t index_;
  ir::Node old_;
  std::vector<ir::Node> made_;
};

}  // namespace dlaexec::place
