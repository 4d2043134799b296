// Networks for tests, made layer by layer, shapes inferred on the way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::test {

/// What a convolution is beside its kernel; one number for both dimensions.
struct ConvShape {
  int64_t stride = 1, pad = 0, dilation = 1, groups = 1;
};

class Net {
 public:
  using Id = ir::ValueId;

  Id input(std::string_view name, ir::Dims dims);
  /// A constant of floats in [-1, 1), shared memory between constants.
  Id weights(std::string_view name, ir::Dims dims);
  Id constant(std::string_view name, ir::Tensor tensor);

  Id conv(std::string_view name, Id x, int64_t maps, int64_t kernel, ConvShape shape = {});
  Id deconv(std::string_view name, Id x, int64_t maps, int64_t kernel, ConvShape shape = {});
  /// x[N,C] times a constant matrix, plus a bias.
  Id gemm(std::string_view name, Id x, int64_t outputs);
  Id activation(std::string_view name, Id x, ir::ActivationKind kind, float alpha = 0,
                float beta = 0);
  Id relu(std::string_view name, Id x) { return activation(name, x, ir::ActivationKind::Relu); }
  Id eltwise(std::string_view name, ir::ElementwiseKind kind, Id a, Id b);
  Id add(std::string_view name, Id a, Id b) {
    return eltwise(name, ir::ElementwiseKind::Sum, a, b);
  }
  Id pool(std::string_view name, ir::PoolKind kind, Id x, int64_t window, int64_t stride,
          int64_t pad = 0);
  Id global_average(std::string_view name, Id x);
  Id concat(std::string_view name, std::vector<Id> inputs, int64_t axis = 1);
  Id flatten(std::string_view name, Id x);
  /// Any op with one output and the given attributes.
  Id node(std::string_view name, ir::Op op, std::vector<Id> inputs, ir::Attributes attributes);
  Id node(std::string_view name, ir::Op op, std::vector<Id> inputs);

  void output(Id id) { graph.outputs.push_back(id); }
  ir::Node& last() { return graph.nodes.back(); }
  ir::Dims dims(Id id) const { return ir::dims_of(graph.value(id).shape); }

  ir::Graph graph;
};

/// The graph of a published network with random weights: "resnet50", "mobilenet_v2", "vgg16" (fully
/// connected layers as 1x1 convolutions), "unet" (2x2 stride-2 deconvolutions).
ir::Graph network(std::string_view name, int64_t batch = 1);

}  // namespace dlaexec::test
