#include "api/network.h"

#include "api/layers.h"
#include "ir/infer.h"

namespace dlaexec::api {
namespace {

constexpr const char* kBatchSymbol = "batch";

ir::ValueId id_of(const ITensor& tensor) { return dynamic_cast<const Tensor&>(tensor).id(); }

}  // namespace

Dims Network::user_dims(const ir::Shape& shape) const {
  ir::Shape seen = shape;
  if (implicit_batch_ && !seen.empty()) seen.erase(seen.begin());
  return to_dims(seen);
}

const ir::Graph& Network::inferred() const {
  if (!inferred_) ir::infer(graph_);
  inferred_ = true;
  return graph_;
}

ir::Graph Network::for_build(int64_t batch) const {
  if (!implicit_batch_) return inferred();
  return ir::specialize(inferred(), {{kBatchSymbol, batch}});
}

Tensor* Network::tensor(ir::ValueId id) const {
  auto& slot = tensors_[id];
  if (!slot) slot = std::make_unique<Tensor>(const_cast<Network&>(*this), id);
  return slot.get();
}

ILayer* Network::getLayer(int32_t index) const noexcept {
  return index >= 0 && index < getNbLayers() ? layers_[static_cast<size_t>(index)].get() : nullptr;
}

ITensor* Network::getInput(int32_t index) const noexcept {
  return index >= 0 && index < getNbInputs() ? tensor(graph_.inputs[static_cast<size_t>(index)])
                                             : nullptr;
}

ITensor* Network::getOutput(int32_t index) const noexcept {
  return index >= 0 && index < getNbOutputs() ? tensor(graph_.outputs[static_cast<size_t>(index)])
                                              : nullptr;
}

ITensor* Network::addInput(const char* name, DataType type, const Dims& dimensions) noexcept {
  return guarded<ITensor*>(logger_, nullptr, [&] {
    if (graph_.find_value(name))
      fail("tensor name '{}' is taken; give each input a name of its own", name);
    ir::Value value;
    value.name = name;
    const ir::DataType wanted = to_ir(type);
    const bool real = ir::is_float(wanted) || wanted == ir::DataType::Int8;
    value.type = real ? ir::DataType::Float32 : wanted;
    value.shape = to_shape(dimensions);
    if (implicit_batch_)
      value.shape.insert(value.shape.begin(), ir::Dim(std::string(kBatchSymbol)));
    graph_.inputs.push_back(graph_.add_value(std::move(value)));
    changed();
    Tensor* input = tensor(graph_.inputs.back());
    input->setType(type);
    return input;
  });
}

void Network::markOutput(ITensor& output) noexcept {
  if (!graph_.is_output(id_of(output))) graph_.outputs.push_back(id_of(output));
}

void Network::unmarkOutput(ITensor& output) noexcept { std::erase(graph_.outputs, id_of(output)); }

void Network::adopt(ir::Graph graph) {
  if (!graph_.nodes.empty() || !graph_.inputs.empty())
    fail("the network already has layers; give the parser an empty one");
  graph_ = std::move(graph);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const std::vector<int> nodes = {static_cast<int>(i)};
    const ir::Op op = graph_.nodes[i].op;
    switch (op) {
      case ir::Op::Conv:
        add_layer<ConvolutionLayer>(*this, LayerType::kCONVOLUTION, nodes);
        break;
      case ir::Op::Activation:
        add_layer<ActivationLayer>(*this, LayerType::kACTIVATION, nodes);
        break;
      case ir::Op::Pool:
        add_layer<PoolingLayer>(*this, LayerType::kPOOLING, nodes);
        break;
      case ir::Op::Softmax:
        add_layer<SoftMaxLayer>(*this, LayerType::kSOFTMAX, nodes);
        break;
      case ir::Op::Concat:
        add_layer<ConcatenationLayer>(*this, LayerType::kCONCATENATION, nodes);
        break;
      case ir::Op::Elementwise:
        add_layer<ElementWiseLayer>(*this, LayerType::kELEMENTWISE, nodes);
        break;
      case ir::Op::Unary:
        add_layer<UnaryLayer>(*this, LayerType::kUNARY, nodes);
        break;
      case ir::Op::Reduce:
        add_layer<ReduceLayer>(*this, LayerType::kREDUCE, nodes);
        break;
      default:
        add_layer<PlainLayer<IIdentityLayer>>(*this, layer_type(op), nodes);
    }
  }
  changed();
}

template <class L, class... Args>
L* Network::add_layer(Args&&... args) {
  auto layer = std::make_unique<L>(std::forward<Args>(args)...);
  L* view = layer.get();
  layers_.push_back(std::move(layer));
  changed();
  return view;
}

int Network::append(ir::Op op, const std::string& name, std::vector<ir::ValueId> inputs) {
  ir::Value output;
  output.name = format("{}_output", name);
  const ir::ValueId id = graph_.add_value(std::move(output));
  graph_.add_node(op, name, std::move(inputs), {id});
  return static_cast<int>(graph_.nodes.size()) - 1;
}

ir::ValueId Network::constant(const Weights& weights, const ir::Dims& dims, const char* what) {
  const std::string name = format("{} {}", fresh_name(), what);
  return graph_.add_constant(name, to_tensor(weights, dims, name));
}

/// Adds a layer of one node; @p set fills in its attributes.
template <class L, class Set>
L* Network::add_simple(ir::Op op, LayerType type, std::vector<ir::ValueId> inputs, Set&& set) {
  return guarded<L*>(logger_, nullptr, [&] {
    const int node = append(op, fresh_name(), std::move(inputs));
    set(graph_.nodes[static_cast<size_t>(node)]);
    return add_layer<L>(*this, type, std::vector<int>{node});
  });
}

int Network::append_product(ir::Op op, ir::ValueId input, const Weights& weights,
                            const ir::Dims& dims, const Weights& bias, int64_t maps) {
  std::vector<ir::ValueId> inputs = {input, constant(weights, dims, "kernel")};
  if (bias.count > 0) inputs.push_back(constant(bias, {maps}, "bias"));
  return append(op, fresh_name(), std::move(inputs));
}

IConvolutionLayer* Network::addConvolutionNd(ITensor& input, int32_t maps, const Dims& kernel,
                                             Weights weights, Weights bias) noexcept {
  return guarded<IConvolutionLayer*>(logger_, nullptr, [&] {
    const auto spatial = static_cast<size_t>(kernel.nbDims);
    const int64_t taps = ir::volume(to_ints(kernel));
    if (maps <= 0 || taps <= 0 || weights.count % (maps * taps) != 0)
      fail("convolution: {} weights do not divide into {} maps of a {} kernel", weights.count, maps,
           ir::to_text(to_ints(kernel)));
    ir::Dims dims = {maps, weights.count / (maps * taps)};
    for (size_t i = 0; i < spatial; ++i) dims.push_back(kernel.d[i]);
    const int node = append_product(ir::Op::Conv, id_of(input), weights, dims, bias, maps);
    auto& attributes = graph_.nodes[static_cast<size_t>(node)].get<ir::ConvAttributes>();
    attributes.stride.assign(spatial, 1);
    attributes.dilation.assign(spatial, 1);
    attributes.pads.assign(2 * spatial, 0);
    return add_layer<ConvolutionLayer>(*this, LayerType::kCONVOLUTION, std::vector<int>{node});
  });
}

IDeconvolutionLayer* Network::addDeconvolutionNd(ITensor& input, int32_t maps, const Dims& kernel,
                                                 Weights weights, Weights bias) noexcept {
  return guarded<IDeconvolutionLayer*>(logger_, nullptr, [&] {
    const auto spatial = static_cast<size_t>(kernel.nbDims);
    const int64_t taps = ir::volume(to_ints(kernel));
    const ir::Shape& shape = inferred().value(id_of(input)).shape;
    if (shape.size() != spatial + 2 || !shape[1].is_known())
      fail("deconvolution: its input needs a known number of channels and {} spatial dimensions",
           spatial);
    const int64_t channels = shape[1].value;
    if (taps <= 0 || channels <= 0 || weights.count % (channels * taps) != 0)
      fail("deconvolution: {} weights do not divide into {} channels of a {} kernel", weights.count,
           channels, ir::to_text(to_ints(kernel)));
    ir::Dims dims = {channels, weights.count / (channels * taps)};
    for (size_t i = 0; i < spatial; ++i) dims.push_back(kernel.d[i]);
    const int node = append_product(ir::Op::Deconv, id_of(input), weights, dims, bias, maps);
    auto& attributes = graph_.nodes[static_cast<size_t>(node)].get<ir::DeconvAttributes>();
    attributes.stride.assign(spatial, 1);
    attributes.dilation.assign(spatial, 1);
    attributes.output_padding.assign(spatial, 0);
    attributes.pads.assign(2 * spatial, 0);
    return add_layer<DeconvolutionLayer>(*this, LayerType::kDECONVOLUTION, std::vector<int>{node});
  });
}

IFullyConnectedLayer* Network::addFullyConnected(ITensor& input, int32_t outputs, Weights weights,
                                                 Weights bias) noexcept {
  return guarded<IFullyConnectedLayer*>(logger_, nullptr, [&] {
    // A convolution whose kernel covers the whole input is the same sum.
    const ir::Shape shape = inferred().value(id_of(input)).shape;
    if (shape.size() != 4 || !shape[1].is_known() || !shape[2].is_known() || !shape[3].is_known())
      fail("fully connected: its input needs known channels, height and width; it is {}",
           ir::to_text(shape));
    const ir::Dims dims = {outputs, shape[1].value, shape[2].value, shape[3].value};
    const int node = append_product(ir::Op::Conv, id_of(input), weights, dims, bias, outputs);
    auto& attributes = graph_.nodes[static_cast<size_t>(node)].get<ir::ConvAttributes>();
    attributes.stride = attributes.dilation = {1, 1};
    attributes.pads = {0, 0, 0, 0};
    return add_layer<FullyConnectedLayer>(*this, LayerType::kFULLY_CONNECTED,
                                          std::vector<int>{node});
  });
}

IActivationLayer* Network::addActivation(ITensor& input, ActivationType type) noexcept {
  return add_simple<ActivationLayer>(
      ir::Op::Activation, LayerType::kACTIVATION, {id_of(input)},
      [&](ir::Node& node) { node.get<ir::ActivationAttributes>().kind = to_ir(type); });
}

IPoolingLayer* Network::addPoolingNd(ITensor& input, PoolingType type,
                                     const Dims& window) noexcept {
  return add_simple<PoolingLayer>(
      ir::Op::Pool, LayerType::kPOOLING, {id_of(input)}, [&](ir::Node& node) {
        const auto spatial = static_cast<size_t>(window.nbDims);
        auto& attributes = node.get<ir::PoolAttributes>();
        attributes.kind = type == PoolingType::kMAX ? ir::PoolKind::Max : ir::PoolKind::Average;
        attributes.kernel = to_ints(window);
        attributes.stride = attributes.kernel;  // TensorRT's default: windows side by side
        attributes.pads.assign(2 * spatial, 0);
        attributes.dilation.assign(spatial, 1);
      });
}

ILRNLayer* Network::addLRN(ITensor& input, int64_t window, float alpha, float beta,
                           float k) noexcept {
  return add_simple<PlainLayer<ILRNLayer>>(
      ir::Op::Lrn, LayerType::kLRN, {id_of(input)}, [&](ir::Node& node) {
        node.attributes = ir::LrnAttributes{window, alpha, beta, k};
      });
}

IScaleLayer* Network::addScale(ITensor& input, ScaleMode mode, Weights shift, Weights scale,
                               Weights power) noexcept {
  return guarded<IScaleLayer*>(logger_, nullptr, [&] {
    if (power.count > 0)
      fail("scale: powers are not supported; use an elementwise layer with kPOW instead");
    const ir::Shape& shape = inferred().value(id_of(input)).shape;
    const int64_t wanted = mode == ScaleMode::kUNIFORM ? 1 : std::max(shift.count, scale.count);
    ir::Dims dims = {wanted};
    if (mode == ScaleMode::kELEMENTWISE) dims = ir::dims_of(shape);
    const auto part = [&](const Weights& weights, float absent, const char* what) {
      if (weights.count > 0) return constant(weights, dims, what);
      std::vector<float> filled(static_cast<size_t>(ir::volume(dims)), absent);
      return graph_.add_constant(format("{} {}", fresh_name(), what), ir::Tensor::of(dims, filled));
    };
    const ir::ValueId scale_id = part(scale, 1, "scale");
    const ir::ValueId shift_id = part(shift, 0, "shift");
    const int node = append(ir::Op::Scale, fresh_name(), {id_of(input), scale_id, shift_id});
    return add_layer<PlainLayer<IScaleLayer>>(*this, LayerType::kSCALE, std::vector<int>{node});
  });
}

ISoftMaxLayer* Network::addSoftMax(ITensor& input) noexcept {
  return add_simple<SoftMaxLayer>(
      ir::Op::Softmax, LayerType::kSOFTMAX, {id_of(input)}, [&](ir::Node& node) {
        const auto rank = static_cast<int64_t>(inferred().value(id_of(input)).shape.size());
        node.get<ir::SoftmaxAttributes>().axis = std::max<int64_t>(0, rank - 3);  // channels
      });
}

IConcatenationLayer* Network::addConcatenation(ITensor* const* inputs, int32_t count) noexcept {
  std::vector<ir::ValueId> ids;
  for (int32_t i = 0; i < count; ++i) ids.push_back(id_of(*inputs[i]));
  return add_simple<ConcatenationLayer>(
      ir::Op::Concat, LayerType::kCONCATENATION, ids, [&](ir::Node& node) {
        const auto rank = static_cast<int64_t>(inferred().value(ids[0]).shape.size());
        node.get<ir::AxisAttributes>().axis = std::max<int64_t>(0, rank - 3);  // channels
      });
}

IElementWiseLayer* Network::addElementWise(ITensor& a, ITensor& b,
                                           ElementWiseOperation operation) noexcept {
  return add_simple<ElementWiseLayer>(
      ir::Op::Elementwise, LayerType::kELEMENTWISE, {id_of(a), id_of(b)},
      [&](ir::Node& node) { node.get<ir::ElementwiseAttributes>().kind = to_ir(operation); });
}

IUnaryLayer* Network::addUnary(ITensor& input, UnaryOperation operation) noexcept {
  return add_simple<UnaryLayer>(
      ir::Op::Unary, LayerType::kUNARY, {id_of(input)},
      [&](ir::Node& node) { node.get<ir::UnaryAttributes>().kind = to_ir(operation); });
}

IReduceLayer* Network::addReduce(ITensor& input, ReduceOperation operation, uint32_t axes,
                                 bool keep_dimensions) noexcept {
  return add_simple<ReduceLayer>(ir::Op::Reduce, LayerType::kREDUCE, {id_of(input)},
                                 [&](ir::Node& node) {
                                   auto& attributes = node.get<ir::ReduceAttributes>();
                                   attributes.kind = to_ir(operation);
                                   attributes.keep_dims = keep_dimensions;
                                   for (int64_t axis = 0; axis < Dims::MAX_DIMS; ++axis)
                                     if (axes >> axis & 1u)
                                       attributes.axes.push_back(axis + hidden_axes());
                                 });
}

IShuffleLayer* Network::addShuffle(ITensor& input) noexcept {
  return guarded<IShuffleLayer*>(logger_, nullptr, [&] {
    const std::string name = fresh_name();
    const int transpose = append(ir::Op::Identity, name + "/transpose", {id_of(input)});
    const ir::ValueId between = graph_.nodes.back().outputs[0];
    const int reshape = append(ir::Op::Identity, name, {between});
    return add_layer<ShuffleLayer>(*this, LayerType::kSHUFFLE,
                                   std::vector<int>{transpose, reshape});
  });
}

IMatrixMultiplyLayer* Network::addMatrixMultiply(ITensor& a, MatrixOperation operation_a,
                                                 ITensor& b, MatrixOperation operation_b) noexcept {
  return guarded<IMatrixMultiplyLayer*>(logger_, nullptr, [&] {
    std::vector<int> nodes;
    const auto operand = [&](ITensor& tensor, MatrixOperation operation, const char* suffix) {
      if (operation == MatrixOperation::kNONE) return id_of(tensor);
      const auto rank = static_cast<int64_t>(inferred().value(id_of(tensor)).shape.size());
      ir::TransposeAttributes attributes;
      for (int64_t i = 0; i < rank; ++i) attributes.perm.push_back(i);
      std::swap(attributes.perm[static_cast<size_t>(rank - 1)],
                attributes.perm[static_cast<size_t>(rank - 2)]);
      nodes.push_back(append(ir::Op::Transpose, fresh_name() + suffix, {id_of(tensor)}));
      graph_.nodes.back().attributes = std::move(attributes);
      return graph_.nodes.back().outputs[0];
    };
    const ir::ValueId left = operand(a, operation_a, "/transpose0");
    const ir::ValueId right = operand(b, operation_b, "/transpose1");
    nodes.push_back(append(ir::Op::MatMul, fresh_name(), {left, right}));
    return add_layer<PlainLayer<IMatrixMultiplyLayer>>(*this, LayerType::kMATRIX_MULTIPLY, nodes);
  });
}

IConstantLayer* Network::addConstant(const Dims& dimensions, Weights weights) noexcept {
  return guarded<IConstantLayer*>(logger_, nullptr, [&] {
    return add_layer<ConstantLayer>(*this, constant(weights, to_ints(dimensions), "constant"));
  });
}

IIdentityLayer* Network::addIdentity(ITensor& input) noexcept {
  return add_simple<PlainLayer<IIdentityLayer>>(ir::Op::Identity, LayerType::kIDENTITY,
                                                {id_of(input)}, [](ir::Node&) {});
}

IParametricReLULayer* Network::addParametricReLU(ITensor& input, ITensor& slope) noexcept {
  return add_simple<PlainLayer<IParametricReLULayer>>(
      ir::Op::PRelu, LayerType::kPARAMETRIC_RELU, {id_of(input), id_of(slope)}, [](ir::Node&) {});
}

}  // namespace dlaexec::api
