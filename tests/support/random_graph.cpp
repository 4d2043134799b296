#include "support/random_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "ir/infer.h"
#include "ir/text.h"

namespace dlaexec::test {
namespace {

using ir::Op;
using ir::ValueId;

class NetworkMaker {
 public:
  explicit NetworkMaker(uint32_t seed) : random_(seed) {
    graph_.name = "random";
    ir::Value image;
    image.name = "image";
    image.shape = ir::shape_of({1 + pick(2), 1 + pick(4), 8, 8});
    graph_.inputs = {graph_.add_value(image)};
    now_ = graph_.inputs[0];
  }

  ir::Graph make(int layers) {
    for (int i = 0; i < layers; ++i) layer();
    if (pick(2) == 0) classifier();
    graph_.outputs = {now_};
    if (pick(3) == 0 && earlier_.size() > 1)
      graph_.outputs.push_back(earlier_[earlier_.size() / 2]);
    if (graph_.outputs.size() == 2 && graph_.outputs[0] == graph_.outputs[1])
      graph_.outputs.pop_back();
    ir::remove_unused(graph_);
    ir::infer(graph_);
    return std::move(graph_);
  }

 private:
  int64_t pick(int64_t count) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(count));
  }
  ir::Dims dims(ValueId id) { return ir::dims_of(graph_.value(id).shape); }

  ValueId constant(const ir::Dims& shape, float scale, float offset = 0) {
    std::vector<float> elements = ir::seeded(ir::DataType::Float32, shape, random_()).to_floats();
    for (float& element : elements) element = element * scale + offset;
    return graph_.add_constant("constant", ir::Tensor::of(shape, elements));
  }

  ir::Node& add(Op op, std::vector<ValueId> inputs) {
    ir::Value value;
    value.name = format("{}{}", ir::info(op).text, graph_.nodes.size());
    const std::string name = value.name;
    const ValueId output = graph_.add_value(value);
    earlier_.push_back(now_);
    now_ = output;
    return graph_.add_node(op, name, std::move(inputs), {output});
  }
  void settle() {
    ir::Inference inference(graph_);
    inference.visit(graph_.nodes.back());
  }

  void layer() {
    switch (pick(9)) {
      case 0:
      case 1:
      case 2:
        return convolution();
      case 3:
        return batch_norm();
      case 4:
      case 5:
        return activation();
      case 6:
        return pooling();
      case 7:
        return join_with_earlier();
      default:
        return unchanged();
    }
  }

  void convolution() {
    const int64_t channels = dims(now_)[1], kernels = pick(2) == 0 ? channels : 1 + pick(12);
    const int64_t size = pick(2) == 0 ? 1 : 3;
    const float scale = 1.5f / std::sqrt(static_cast<float>(channels * size * size));
    std::vector<ValueId> inputs = {now_, constant({kernels, channels, size, size}, scale)};
    if (pick(2) == 0) inputs.push_back(constant({kernels}, 0.2f));
    ir::Node& node = add(Op::Conv, inputs);
    const int64_t pad = size / 2;
    node.attributes = ir::ConvAttributes{{1, 1}, {pad, pad, pad, pad}, {1, 1}};
    settle();
    if (pick(2) == 0) batch_norm();
    if (pick(2) == 0) activation();
  }

  void batch_norm() {
    const ir::Dims shape = {dims(now_)[1]};
    add(Op::BatchNorm, {now_, constant(shape, 0.3f, 1), constant(shape, 0.2f),
                        constant(shape, 0.2f), constant(shape, 0.4f, 1)});
    settle();
  }

  void activation() {
    constexpr ir::ActivationKind kKinds[] = {ir::ActivationKind::Relu, ir::ActivationKind::Relu,
                                             ir::ActivationKind::LeakyRelu,
                                             ir::ActivationKind::Sigmoid, ir::ActivationKind::Clip};
    ir::Node& node = add(Op::Activation, {now_});
    const ir::ActivationKind kind = kKinds[pick(5)];
    node.attributes = kind == ir::ActivationKind::Clip ? ir::ActivationAttributes{kind, 0, 6}
                                                       : ir::ActivationAttributes{kind, 0.1f, 0};
    settle();
  }

  void pooling() {
    if (dims(now_)[2] < 4) return;
    ir::PoolAttributes attributes;
    attributes.kind = pick(2) == 0 ? ir::PoolKind::Max : ir::PoolKind::Average;
    attributes.kernel = attributes.stride = {2, 2};
    attributes.pads = {0, 0, 0, 0};
    attributes.dilation = {1, 1};
    add(Op::Pool, {now_}).attributes = attributes;
    settle();
  }

  /// A sum with, or a concatenation to, something made before.
  void join_with_earlier() {
    const bool sum = pick(2) == 0;
    for (size_t i = earlier_.size(); i-- > 0;) {
      const ValueId other = earlier_[i];
      const ir::Dims a = dims(now_), b = dims(other);
      const bool same_plane = b.size() == 4 && a[2] == b[2] && a[3] == b[3];
      if (other == now_ || !same_plane || (sum ? a[1] != b[1] : a[1] + b[1] > 24)) continue;
      ir::Node& node = add(sum ? Op::Elementwise : Op::Concat, {now_, other});
      if (!sum) node.attributes = ir::AxisAttributes{1};
      return settle();
    }
  }

  void unchanged() {
    if (pick(2) == 0) {
      add(Op::Identity, {now_});
    } else {
      add(Op::Transpose, {now_}).attributes = ir::TransposeAttributes{{0, 1, 2, 3}};
    }
    settle();
  }

  void classifier() {
    add(Op::Flatten, {now_}).attributes = ir::AxisAttributes{1};
    settle();
    const int64_t features = dims(now_)[1];
    const float scale = 1 / std::sqrt(static_cast<float>(features));
    add(Op::Gemm, {now_, constant({5, features}, scale), constant({5}, 0.2f)})
        .get<ir::GemmAttributes>()
        .transpose_b = true;
    settle();
    add(Op::Softmax, {now_}).get<ir::SoftmaxAttributes>().axis = 1;
    settle();
  }

  std::mt19937 random_;
  ir::Graph graph_;
  ValueId now_ = 0;
  std::vector<ValueId> earlier_;
};

}  // namespace

ir::Graph random_network(uint32_t seed, int layers) { return NetworkMaker(seed).make(layers); }

std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, uint32_t seed) {
  std::vector<ir::Tensor> inputs;
  for (const ValueId id : graph.inputs)
    inputs.push_back(
        ir::seeded(graph.value(id).type, ir::dims_of(graph.value(id).shape), seed + inputs.size()));
  return inputs;
}

double relative_difference(const ir::Tensor& got, const ir::Tensor& wanted) {
  if (got.type() != wanted.type() || got.dims() != wanted.dims())
    return std::numeric_limits<double>::infinity();
  const std::vector<float> a = got.to_floats(), b = wanted.to_floats();
  double difference = 0, magnitude = 1e-30;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::fabs(double{a[i]} - b[i]));
    magnitude = std::max(magnitude, std::fabs(double{b[i]}));
  }
  return difference / magnitude;
}

}  // namespace dlaexec::test
