// INetworkDefinition over an ir::Graph: layers and tensors are views of its nodes and values.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "api/edge.h"
#include "dla/rules.h"
#include "dlaexec/network.h"
#include "ir/graph.h"

namespace dlaexec::api {

class Network;

/// One value of the network's graph.
class Tensor final : public ITensor {
 public:
  Tensor(Network& network, ir::ValueId id) : network_(network), id_(id) {}
  ir::ValueId id() const { return id_; }

  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override;
  Dims getDimensions() const noexcept override;
  void setDimensions(Dims dimensions) noexcept override;
  void setType(DataType type) noexcept override;
  DataType getType() const noexcept override;
  bool setDynamicRange(float min, float max) noexcept override;
  bool dynamicRangeIsSet() const noexcept override;
  void resetDynamicRange() noexcept override;
  float getDynamicRangeMin() const noexcept override;
  float getDynamicRangeMax() const noexcept override;
  bool isNetworkInput() const noexcept override;
  bool isNetworkOutput() const noexcept override;
  void setAllowedFormats(TensorFormats formats) noexcept override { formats_ = formats; }
  TensorFormats getAllowedFormats() const noexcept override { return formats_; }
  /// The type that a network input or output is exchanged in, when the user chose one.
  std::optional<ir::DataType> io_type() const { return io_type_; }

 private:
  ir::Value& value() const;

  Network& network_;
  ir::ValueId id_;
  TensorFormats formats_ = 1;  ///< linear
  std::optional<ir::DataType> io_type_;
};

/// One or more nodes of the network's graph under one layer name; the last is the layer's face. A
/// constant layer has no node, only its value.
class Layer : public virtual ILayer {
 public:
  Layer(Network& network, LayerType type, std::vector<int> nodes)
      : network_(network), type_(type), nodes_(std::move(nodes)) {}

  LayerType getType() const noexcept override { return type_; }
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override;
  int32_t getNbInputs() const noexcept override;
  ITensor* getInput(int32_t index) const noexcept override;
  int32_t getNbOutputs() const noexcept override;
  ITensor* getOutput(int32_t index) const noexcept override;
  void setPrecision(DataType type) noexcept override;
  DataType getPrecision() const noexcept override;
  bool precisionIsSet() const noexcept override { return precision_.has_value(); }
  void resetPrecision() noexcept override { precision_.reset(); }
  void setOutputType(int32_t index, DataType type) noexcept override;
  DataType getOutputType(int32_t index) const noexcept override;
  bool outputTypeIsSet(int32_t index) const noexcept override {
    return output_types_.contains(index);
  }
  void resetOutputType(int32_t index) noexcept override { output_types_.erase(index); }

  /// What the user asks of the layer's types: of its computation, and of outputs by their index.
  const std::optional<ir::DataType>& precision() const { return precision_; }
  const std::map<int32_t, ir::DataType>& output_types() const { return output_types_; }
  /// The node that stands for the layer; the layer must have one.
  ir::Node& node() const;
  bool has_node() const { return !nodes_.empty(); }
  /// Whether each of the layer's nodes, alone, meets the DLA's rules.
  bool fits_dla(const dla::Target& target) const;
  /// Indices of the layer's nodes, in the graph as the user built it.
  const std::vector<int>& nodes() const { return nodes_; }

 protected:
  template <class Attributes>
  Attributes& attributes() const {
    return node().get<Attributes>();
  }
  void changed() const;

  Network& network_;
  LayerType type_;
  std::vector<int> nodes_;

 private:
  std::optional<ir::DataType> precision_;
  std::map<int32_t, ir::DataType> output_types_;
};

class Network final : public INetworkDefinition {
 public:
  Network(ILogger& logger, bool implicit_batch)
      : logger_(logger), implicit_batch_(implicit_batch) {}

  ITensor* addInput(const char* name, DataType type, const Dims& dimensions) noexcept override;
  void markOutput(ITensor& tensor) noexcept override;
  void unmarkOutput(ITensor& tensor) noexcept override;
  IConvolutionLayer* addConvolutionNd(ITensor& input, int32_t maps, const Dims& kernel,
                                      Weights weights, Weights bias) noexcept override;
  IDeconvolutionLayer* addDeconvolutionNd(ITensor& input, int32_t maps, const Dims& kernel,
                                          Weights weights, Weights bias) noexcept override;
  IFullyConnectedLayer* addFullyConnected(ITensor& input, int32_t outputs, Weights weights,
                                          Weights bias) noexcept override;
  IActivationLayer* addActivation(ITensor& input, ActivationType type) noexcept override;
  IPoolingLayer* addPoolingNd(ITensor& input, PoolingType type,
                              const Dims& window) noexcept override;
  ILRNLayer* addLRN(ITensor& input, int64_t window, float alpha, float beta,
                    float k) noexcept override;
  IScaleLayer* addScale(ITensor& input, ScaleMode mode, Weights shift, Weights scale,
                        Weights power) noexcept override;
  ISoftMaxLayer* addSoftMax(ITensor& input) noexcept override;
  IConcatenationLayer* addConcatenation(ITensor* const* inputs, int32_t count) noexcept override;
  IElementWiseLayer* addElementWise(ITensor& a, ITensor& b,
                                    ElementWiseOperation operation) noexcept override;
  IUnaryLayer* addUnary(ITensor& input, UnaryOperation operation) noexcept override;
  IReduceLayer* addReduce(ITensor& input, ReduceOperation operation, uint32_t axes,
                          bool keep_dimensions) noexcept override;
  IShuffleLayer* addShuffle(ITensor& input) noexcept override;
  IMatrixMultiplyLayer* addMatrixMultiply(ITensor& a, MatrixOperation operation_a, ITensor& b,
                                          MatrixOperation operation_b) noexcept override;
  IConstantLayer* addConstant(const Dims& dimensions, Weights weights) noexcept override;
  IIdentityLayer* addIdentity(ITensor& input) noexcept override;
  IParametricReLULayer* addParametricReLU(ITensor& input, ITensor& slope) noexcept override;

  int32_t getNbLayers() const noexcept override { return static_cast<int32_t>(layers_.size()); }
  ILayer* getLayer(int32_t index) const noexcept override;
  int32_t getNbInputs() const noexcept override {
    return static_cast<int32_t>(graph_.inputs.size());
  }
  ITensor* getInput(int32_t index) const noexcept override;
  int32_t getNbOutputs() const noexcept override {
    return static_cast<int32_t>(graph_.outputs.size());
  }
  ITensor* getOutput(int32_t index) const noexcept override;
  void setName(const char* name) noexcept override { graph_.name = name; }
  const char* getName() const noexcept override { return graph_.name.c_str(); }
  bool hasImplicitBatchDimension() const noexcept override { return implicit_batch_; }

  /// The graph as a build takes it: the batch of an implicit batch dimension is @p batch.
  ir::Graph for_build(int64_t batch) const;
  /// Dimensions as the user sees them: without the batch of an implicit batch dimension.
  Dims user_dims(const ir::Shape& shape) const;
  /// 1 when every tensor of the graph has a batch dimension that the user does not see, else 0.
  int64_t hidden_axes() const { return implicit_batch_ ? 1 : 0; }
  ILogger& logger() const { return logger_; }
  ir::Graph& graph() { return graph_; }
  /// The graph with the type and shape of every value worked out.
  const ir::Graph& inferred() const;
  void changed() const { inferred_ = false; }
  Tensor* tensor(ir::ValueId id) const;
  const std::deque<std::unique_ptr<Layer>>& layers() const { return layers_; }
  /// Takes the place of an empty network: one layer per node.
  void adopt(ir::Graph graph);

 private:
  template <class L, class... Args>
  L* add_layer(Args&&... args);
  template <class L, class Set>
  L* add_simple(ir::Op op, LayerType type, std::vector<ir::ValueId> inputs, Set&& set);
  int append(ir::Op op, const std::string& name, std::vector<ir::ValueId> inputs);
  ir::ValueId constant(const Weights& weights, const ir::Dims& dims, const char* what);
  int append_product(ir::Op op, ir::ValueId input, const Weights& weights, const ir::Dims& dims,
                     const Weights& bias, int64_t maps);
  std::string fresh_name() const { return format("(Unnamed Layer* {})", layers_.size()); }

  ILogger& logger_;
  bool implicit_batch_;
  mutable ir::Graph graph_;
  mutable bool inferred_ = false;
  mutable std::map<ir::ValueId, std::unique_ptr<Tensor>> tensors_;
  std::deque<std::unique_ptr<Layer>> layers_;
};

}  // namespace dlaexec::api
