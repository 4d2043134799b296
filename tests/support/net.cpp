#include "support/net.h"

#include "ir/infer.h"
#include "ir/text.h"

namespace dlaexec::test {
namespace {

using namespace ir;

/// One block of random floats that all weights lie in; they are never written.
Tensor shared_floats(const Dims& dims) {
  static Tensor block = seeded(DataType::Float32, {1 << 16}, 1);
  if (block.count() < volume(dims)) block = seeded(DataType::Float32, {volume(dims)}, 1);
  const auto owner = std::make_shared<Tensor>(block);
  const size_t bytes = static_cast<size_t>(volume(dims)) * sizeof(float);
  return Tensor(DataType::Float32, dims, owner->bytes().first(bytes), owner);
}

Ints both(int64_t value) { return {value, value}; }
Ints all_sides(int64_t value) { return {value, value, value, value}; }

}  // namespace

Net::Id Net::input(std::string_view name, Dims dims) {
  Value value;
  value.name = name;
  value.shape = shape_of(dims);
  graph.inputs.push_back(graph.add_value(std::move(value)));
  return graph.inputs.back();
}

Net::Id Net::weights(std::string_view name, Dims dims) {
  return graph.add_constant(name, shared_floats(dims));
}

Net::Id Net::constant(std::string_view name, Tensor tensor) {
  return graph.add_constant(name, std::move(tensor));
}

Net::Id Net::node(std::string_view name, Op op, std::vector<Id> inputs, Attributes attributes) {
  Value value;
  value.name = format("{}_out", name);
  const Id out = graph.add_value(std::move(value));
  Node& made = graph.add_node(op, name, std::move(inputs), {out});
  made.attributes = std::move(attributes);
  Inference(graph).visit(made);
  return out;
}

Net::Id Net::node(std::string_view name, Op op, std::vector<Id> inputs) {
  return node(name, op, std::move(inputs), default_attributes(op));
}

Net::Id Net::conv(std::string_view name, Id x, int64_t maps, int64_t kernel, ConvShape shape) {
  const Id w = weights(format("{}_w", name), {maps, dims(x)[1] / shape.groups, kernel, kernel});
  ConvAttributes attributes;
  attributes.stride = both(shape.stride);
  attributes.pads = all_sides(shape.pad);
  attributes.dilation = both(shape.dilation);
  attributes.groups = shape.groups;
  return node(name, Op::Conv, {x, w, weights(format("{}_b", name), {maps})}, attributes);
}

Net::Id Net::deconv(std::string_view name, Id x, int64_t maps, int64_t kernel, ConvShape shape) {
  const Id w = weights(format("{}_w", name), {dims(x)[1], maps / shape.groups, kernel, kernel});
  DeconvAttributes attributes;
  attributes.stride = both(shape.stride);
  attributes.pads = all_sides(shape.pad);
  attributes.dilation = both(shape.dilation);
  attributes.output_padding = both(0);
  attributes.groups = shape.groups;
  return node(name, Op::Deconv, {x, w, weights(format("{}_b", name), {maps})}, attributes);
}

Net::Id Net::gemm(std::string_view name, Id x, int64_t outputs) {
  GemmAttributes attributes;
  attributes.transpose_b = true;
  const Id w = weights(format("{}_w", name), {outputs, dims(x)[1]});
  return node(name, Op::Gemm, {x, w, weights(format("{}_b", name), {outputs})}, attributes);
}

Net::Id Net::activation(std::string_view name, Id x, ActivationKind kind, float alpha, float beta) {
  return node(name, Op::Activation, {x}, ActivationAttributes{kind, alpha, beta});
}

Net::Id Net::eltwise(std::string_view name, ElementwiseKind kind, Id a, Id b) {
  ElementwiseAttributes attributes;
  attributes.kind = kind;
  return node(name, Op::Elementwise, {a, b}, attributes);
}

Net::Id Net::pool(std::string_view name, PoolKind kind, Id x, int64_t window, int64_t stride,
                  int64_t pad) {
  PoolAttributes attributes;
  attributes.kind = kind;
  attributes.kernel = both(window);
  attributes.stride = both(stride);
  attributes.pads = all_sides(pad);
  attributes.dilation = both(1);
  return node(name, Op::Pool, {x}, attributes);
}

Net::Id Net::global_average(std::string_view name, Id x) {
  ReduceAttributes attributes;
  attributes.axes = {2, 3};
  return node(name, Op::Reduce, {x}, attributes);
}

Net::Id Net::concat(std::string_view name, std::vector<Id> inputs, int64_t axis) {
  return node(name, Op::Concat, std::move(inputs), AxisAttributes{axis});
}

Net::Id Net::flatten(std::string_view name, Id x) {
  return node(name, Op::Flatten, {x}, AxisAttributes{1});
}

}  // namespace dlaexec::test
