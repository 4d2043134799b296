// The kinds of layers: each reads and writes the attributes of its node.
#pragma once

#include <algorithm>

#include "api/convert.h"
#include "api/kinds.h"
#include "api/network.h"

namespace dlaexec::api {

/// Same padding at both ends, as the API has it, from and to begins-then-ends.
inline ir::Ints to_pads(const Dims& padding) {
  ir::Ints pads = to_ints(padding);
  pads.insert(pads.end(), padding.d, padding.d + padding.nbDims);
  return pads;
}
inline Dims from_pads(const ir::Ints& pads) {
  return ints_to_dims({pads.begin(), pads.begin() + static_cast<long>(pads.size() / 2)});
}

/// A layer kind that adds nothing to ILayer.
template <class Interface>
class PlainLayer final : public Layer, public Interface {
 public:
  using Layer::Layer;
};

class ConvolutionLayer final : public Layer, public IConvolutionLayer {
 public:
  using Layer::Layer;
  void setStrideNd(const Dims& stride) noexcept override { set().stride = to_ints(stride); }
  Dims getStrideNd() const noexcept override { return ints_to_dims(get().stride); }
  void setPaddingNd(const Dims& padding) noexcept override { set().pads = to_pads(padding); }
  Dims getPaddingNd() const noexcept override { return from_pads(get().pads); }
  void setDilationNd(const Dims& dilation) noexcept override { set().dilation = to_ints(dilation); }
  Dims getDilationNd() const noexcept override { return ints_to_dims(get().dilation); }
  void setNbGroups(int32_t groups) noexcept override { set().groups = groups; }
  int32_t getNbGroups() const noexcept override { return static_cast<int32_t>(get().groups); }
  int32_t getNbOutputMaps() const noexcept override {
    return static_cast<int32_t>(weight_dims()[0]);
  }
  Dims getKernelSizeNd() const noexcept override {
    return ints_to_dims({weight_dims().begin() + 2, weight_dims().end()});
  }

 private:
  const ir::Dims& weight_dims() const { return network_.graph().constant(node(), 1)->dims(); }
  const ir::ConvAttributes& get() const { return attributes<ir::ConvAttributes>(); }
  ir::ConvAttributes& set() const {
    changed();
    return attributes<ir::ConvAttributes>();
  }
};

class DeconvolutionLayer final : public Layer, public IDeconvolutionLayer {
 public:
  using Layer::Layer;
  void setStrideNd(const Dims& stride) noexcept override { set().stride = to_ints(stride); }
  void setPaddingNd(const Dims& padding) noexcept override { set().pads = to_pads(padding); }
  void setNbGroups(int32_t groups) noexcept override { set().groups = groups; }

 private:
  ir::DeconvAttributes& set() const {
    changed();
    return attributes<ir::DeconvAttributes>();
  }
};

class FullyConnectedLayer final : public Layer, public IFullyConnectedLayer {
 public:
  using Layer::Layer;
  int32_t getNbOutputChannels() const noexcept override {
    return static_cast<int32_t>(network_.graph().constant(node(), 1)->dims()[0]);
  }
};

class ActivationLayer final : public Layer, public IActivationLayer {
 public:
  using Layer::Layer;
  void setActivationType(ActivationType type) noexcept override { get().kind = to_ir(type); }
  ActivationType getActivationType() const noexcept override { return to_api(get().kind); }
  void setAlpha(float alpha) noexcept override { get().alpha = alpha; }
  void setBeta(float beta) noexcept override { get().beta = beta; }
  float getAlpha() const noexcept override { return get().alpha; }
  float getBeta() const noexcept override { return get().beta; }

 private:
  ir::ActivationAttributes& get() const { return attributes<ir::ActivationAttributes>(); }
};

class PoolingLayer final : public Layer, public IPoolingLayer {
 public:
  using Layer::Layer;
  void setPoolingType(PoolingType type) noexcept override {
    set().kind = type == PoolingType::kMAX ? ir::PoolKind::Max : ir::PoolKind::Average;
  }
  PoolingType getPoolingType() const noexcept override {
    return get().kind == ir::PoolKind::Max ? PoolingType::kMAX : PoolingType::kAVERAGE;
  }
  void setWindowSizeNd(const Dims& size) noexcept override { set().kernel = to_ints(size); }
  Dims getWindowSizeNd() const noexcept override { return ints_to_dims(get().kernel); }
  void setStrideNd(const Dims& stride) noexcept override { set().stride = to_ints(stride); }
  Dims getStrideNd() const noexcept override { return ints_to_dims(get().stride); }
  void setPaddingNd(const Dims& padding) noexcept override { set().pads = to_pads(padding); }
  Dims getPaddingNd() const noexcept override { return from_pads(get().pads); }
  void setAverageCountExcludesPadding(bool exclusive) noexcept override {
    set().count_include_pad = !exclusive;
  }
  bool getAverageCountExcludesPadding() const noexcept override { return !get().count_include_pad; }

 private:
  const ir::PoolAttributes& get() const { return attributes<ir::PoolAttributes>(); }
  ir::PoolAttributes& set() const {
    changed();
    return attributes<ir::PoolAttributes>();
  }
};

class SoftMaxLayer final : public Layer, public ISoftMaxLayer {
 public:
  using Layer::Layer;
  void setAxes(uint32_t axes) noexcept override {
    attributes<ir::SoftmaxAttributes>().axis =
        __builtin_ctz(axes | 1u << 31) + network_.hidden_axes();
  }
  uint32_t getAxes() const noexcept override {
    return 1u << (attributes<ir::SoftmaxAttributes>().axis - network_.hidden_axes());
  }
};

class ConcatenationLayer final : public Layer, public IConcatenationLayer {
 public:
  using Layer::Layer;
  void setAxis(int32_t axis) noexcept override {
    attributes<ir::AxisAttributes>().axis = axis + network_.hidden_axes();
    changed();
  }
  int32_t getAxis() const noexcept override {
    return static_cast<int32_t>(attributes<ir::AxisAttributes>().axis - network_.hidden_axes());
  }
};

class ElementWiseLayer final : public Layer, public IElementWiseLayer {
 public:
  using Layer::Layer;
  void setOperation(ElementWiseOperation operation) noexcept override {
    attributes<ir::ElementwiseAttributes>().kind = to_ir(operation);
    changed();
  }
  ElementWiseOperation getOperation() const noexcept override {
    return to_api(attributes<ir::ElementwiseAttributes>().kind);
  }
};

class UnaryLayer final : public Layer, public IUnaryLayer {
 public:
  using Layer::Layer;
  void setOperation(UnaryOperation operation) noexcept override {
    attributes<ir::UnaryAttributes>().kind = to_ir(operation);
  }
  UnaryOperation getOperation() const noexcept override {
    return to_api(attributes<ir::UnaryAttributes>().kind);
  }
};

class ReduceLayer final : public Layer, public IReduceLayer {
 public:
  using Layer::Layer;
  ReduceOperation getOperation() const noexcept override {
    return to_api(attributes<ir::ReduceAttributes>().kind);
  }
  uint32_t getReduceAxes() const noexcept override {
    uint32_t mask = 0;
    for (const int64_t axis : attributes<ir::ReduceAttributes>().axes)
      mask |= 1u << (axis - network_.hidden_axes());
    return mask;
  }
  bool getKeepDimensions() const noexcept override {
    return attributes<ir::ReduceAttributes>().keep_dims;
  }
};

/// Two nodes: the transpose, then the reshape; each an identity until it is set.
class ShuffleLayer final : public Layer, public IShuffleLayer {
 public:
  using Layer::Layer;
  void setFirstTranspose(Permutation permutation) noexcept override;
  void setReshapeDimensions(const Dims& dimensions) noexcept override;
};

/// A constant is a value of the graph, not a node.
class ConstantLayer final : public Layer, public IConstantLayer {
 public:
  ConstantLayer(Network& network, ir::ValueId value)
      : Layer(network, LayerType::kCONSTANT, {}), value_(value) {}
  void setName(const char* name) noexcept override;
  const char* getName() const noexcept override;
  int32_t getNbInputs() const noexcept override { return 0; }
  ITensor* getInput(int32_t) const noexcept override { return nullptr; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  ITensor* getOutput(int32_t index) const noexcept override;

 private:
  ir::ValueId value_;
};

}  // namespace dlaexec::api
