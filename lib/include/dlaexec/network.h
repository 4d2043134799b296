// A network definition: tensors and layers as the application names them.
//
// Objects returned by pointer belong to the network and live as long as it does. A call that cannot
// be carried out reports to the builder's logger and returns null or false.
#pragma once

#include "dlaexec/types.h"

namespace dlaexec {

class ITensor {
 public:
  virtual ~ITensor() = default;
  virtual void setName(const char* name) noexcept = 0;
  virtual const char* getName() const noexcept = 0;
  /// Dimensions, worked out from the inputs; -1 where a dimension is known only at run time.
  virtual Dims getDimensions() const noexcept = 0;
  virtual void setDimensions(Dims dimensions) noexcept = 0;  ///< network inputs only
  /// The type a network input or output is exchanged in.
  virtual void setType(DataType type) noexcept = 0;
  virtual DataType getType() const noexcept = 0;
  /// The range of real values, symmetric use: the larger magnitude counts.
  virtual bool setDynamicRange(float min, float max) noexcept = 0;
  virtual bool dynamicRangeIsSet() const noexcept = 0;
  virtual void resetDynamicRange() noexcept = 0;
  virtual float getDynamicRangeMin() const noexcept = 0;
  virtual float getDynamicRangeMax() const noexcept = 0;
  virtual bool isNetworkInput() const noexcept = 0;
  virtual bool isNetworkOutput() const noexcept = 0;
  /// The formats that a network input or output may be exchanged in.
  virtual void setAllowedFormats(TensorFormats formats) noexcept = 0;
  virtual TensorFormats getAllowedFormats() const noexcept = 0;
};

class ILayer {
 public:
  virtual ~ILayer() = default;
  virtual LayerType getType() const noexcept = 0;
  virtual void setName(const char* name) noexcept = 0;
  virtual const char* getName() const noexcept = 0;
  virtual int32_t getNbInputs() const noexcept = 0;
  virtual ITensor* getInput(int32_t index) const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual ITensor* getOutput(int32_t index) const noexcept = 0;
  /// The type this layer should compute in; binds under kOBEY_PRECISION_CONSTRAINTS and
  /// kPREFER_PRECISION_CONSTRAINTS, and where a DLA takes part.
  virtual void setPrecision(DataType type) noexcept = 0;
  virtual DataType getPrecision() const noexcept = 0;
  virtual bool precisionIsSet() const noexcept = 0;
  virtual void resetPrecision() noexcept = 0;
  /// The type this layer should deliver an output in, under the same constraints. The network's
  /// outputs have the types of their tensors. Of several outputs all are to be set.
  virtual void setOutputType(int32_t index, DataType type) noexcept = 0;
  virtual DataType getOutputType(int32_t index) const noexcept = 0;
  virtual bool outputTypeIsSet(int32_t index) const noexcept = 0;
  virtual void resetOutputType(int32_t index) noexcept = 0;
};

/// Convolution and deconvolution. Unset strides and dilations are 1, unset paddings 0.
class IConvolutionLayer : public virtual ILayer {
 public:
  virtual void setStrideNd(const Dims& stride) noexcept = 0;
  virtual Dims getStrideNd() const noexcept = 0;
  virtual void setPaddingNd(const Dims& padding) noexcept = 0;
  virtual Dims getPaddingNd() const noexcept = 0;
  virtual void setDilationNd(const Dims& dilation) noexcept = 0;
  virtual Dims getDilationNd() const noexcept = 0;
  virtual void setNbGroups(int32_t groups) noexcept = 0;
  virtual int32_t getNbGroups() const noexcept = 0;
  virtual int32_t getNbOutputMaps() const noexcept = 0;
  virtual Dims getKernelSizeNd() const noexcept = 0;
  void setStride(DimsHW stride) noexcept { setStrideNd(stride); }
  void setPadding(DimsHW padding) noexcept { setPaddingNd(padding); }
  void setDilation(DimsHW dilation) noexcept { setDilationNd(dilation); }
};
class IDeconvolutionLayer : public virtual ILayer {
 public:
  virtual void setStrideNd(const Dims& stride) noexcept = 0;
  virtual void setPaddingNd(const Dims& padding) noexcept = 0;
  virtual void setNbGroups(int32_t groups) noexcept = 0;
  void setStride(DimsHW stride) noexcept { setStrideNd(stride); }
  void setPadding(DimsHW padding) noexcept { setPaddingNd(padding); }
};
class IFullyConnectedLayer : public virtual ILayer {
 public:
  virtual int32_t getNbOutputChannels() const noexcept = 0;
};
class IActivationLayer : public virtual ILayer {
 public:
  virtual void setActivationType(ActivationType type) noexcept = 0;
  virtual ActivationType getActivationType() const noexcept = 0;
  virtual void setAlpha(float alpha) noexcept = 0;
  virtual void setBeta(float beta) noexcept = 0;
  virtual float getAlpha() const noexcept = 0;
  virtual float getBeta() const noexcept = 0;
};
class IPoolingLayer : public virtual ILayer {
 public:
  virtual void setPoolingType(PoolingType type) noexcept = 0;
  virtual PoolingType getPoolingType() const noexcept = 0;
  virtual void setWindowSizeNd(const Dims& size) noexcept = 0;
  virtual Dims getWindowSizeNd() const noexcept = 0;
  virtual void setStrideNd(const Dims& stride) noexcept = 0;
  virtual Dims getStrideNd() const noexcept = 0;
  virtual void setPaddingNd(const Dims& padding) noexcept = 0;
  virtual Dims getPaddingNd() const noexcept = 0;
  /// Default true: padded cells do not count in an average.
  virtual void setAverageCountExcludesPadding(bool exclusive) noexcept = 0;
  virtual bool getAverageCountExcludesPadding() const noexcept = 0;
  void setStride(DimsHW stride) noexcept { setStrideNd(stride); }
  void setPadding(DimsHW padding) noexcept { setPaddingNd(padding); }
};
class ILRNLayer : public virtual ILayer {};
class IScaleLayer : public virtual ILayer {};
class ISoftMaxLayer : public virtual ILayer {
 public:
  /// Bit mask of one axis.
  virtual void setAxes(uint32_t axes) noexcept = 0;
  virtual uint32_t getAxes() const noexcept = 0;
};
class IConcatenationLayer : public virtual ILayer {
 public:
  virtual void setAxis(int32_t axis) noexcept = 0;
  virtual int32_t getAxis() const noexcept = 0;
};
class IElementWiseLayer : public virtual ILayer {
 public:
  virtual void setOperation(ElementWiseOperation operation) noexcept = 0;
  virtual ElementWiseOperation getOperation() const noexcept = 0;
};
class IUnaryLayer : public virtual ILayer {
 public:
  virtual void setOperation(UnaryOperation operation) noexcept = 0;
  virtual UnaryOperation getOperation() const noexcept = 0;
};
class IReduceLayer : public virtual ILayer {
 public:
  virtual ReduceOperation getOperation() const noexcept = 0;
  virtual uint32_t getReduceAxes() const noexcept = 0;
  virtual bool getKeepDimensions() const noexcept = 0;
};
/// A transpose, then a reshape; each is the identity until it is set.
class IShuffleLayer : public virtual ILayer {
 public:
  virtual void setFirstTranspose(Permutation permutation) noexcept = 0;
  /// 0 copies the input's dimension, -1 is worked out.
  virtual void setReshapeDimensions(const Dims& dimensions) noexcept = 0;
};
class IMatrixMultiplyLayer : public virtual ILayer {};
class IConstantLayer : public virtual ILayer {};
class IIdentityLayer : public virtual ILayer {};
class IParametricReLULayer : public virtual ILayer {};

class INetworkDefinition {
 public:
  virtual ~INetworkDefinition() = default;
  virtual ITensor* addInput(const char* name, DataType type, const Dims& dimensions) noexcept = 0;
  virtual void markOutput(ITensor& tensor) noexcept = 0;
  virtual void unmarkOutput(ITensor& tensor) noexcept = 0;

  virtual IConvolutionLayer* addConvolutionNd(ITensor& input, int32_t nbOutputMaps,
                                              const Dims& kernelSize, Weights kernelWeights,
                                              Weights biasWeights) noexcept = 0;
  IConvolutionLayer* addConvolution(ITensor& input, int32_t nbOutputMaps, DimsHW kernelSize,
                                    Weights kernelWeights, Weights biasWeights) noexcept {
    return addConvolutionNd(input, nbOutputMaps, kernelSize, kernelWeights, biasWeights);
  }
  virtual IDeconvolutionLayer* addDeconvolutionNd(ITensor& input, int32_t nbOutputMaps,
                                                  const Dims& kernelSize, Weights kernelWeights,
                                                  Weights biasWeights) noexcept = 0;
  /// The input's last three dimensions are one vector; the output is [N, nbOutputs, 1, 1].
  virtual IFullyConnectedLayer* addFullyConnected(ITensor& input, int32_t nbOutputs,
                                                  Weights kernelWeights,
                                                  Weights biasWeights) noexcept = 0;
  virtual IActivationLayer* addActivation(ITensor& input, ActivationType type) noexcept = 0;
  virtual IPoolingLayer* addPoolingNd(ITensor& input, PoolingType type,
                                      const Dims& windowSize) noexcept = 0;
  IPoolingLayer* addPooling(ITensor& input, PoolingType type, DimsHW windowSize) noexcept {
    return addPoolingNd(input, type, windowSize);
  }
  virtual ILRNLayer* addLRN(ITensor& input, int64_t window, float alpha, float beta,
                            float k) noexcept = 0;
  /// (x * scale + shift) ^ power; power must be absent or 1.
  virtual IScaleLayer* addScale(ITensor& input, ScaleMode mode, Weights shift, Weights scale,
                                Weights power) noexcept = 0;
  virtual ISoftMaxLayer* addSoftMax(ITensor& input) noexcept = 0;
  virtual IConcatenationLayer* addConcatenation(ITensor* const* inputs,
                                                int32_t nbInputs) noexcept = 0;
  virtual IElementWiseLayer* addElementWise(ITensor& input1, ITensor& input2,
                                            ElementWiseOperation operation) noexcept = 0;
  virtual IUnaryLayer* addUnary(ITensor& input, UnaryOperation operation) noexcept = 0;
  virtual IReduceLayer* addReduce(ITensor& input, ReduceOperation operation, uint32_t reduceAxes,
                                  bool keepDimensions) noexcept = 0;
  virtual IShuffleLayer* addShuffle(ITensor& input) noexcept = 0;
  virtual IMatrixMultiplyLayer* addMatrixMultiply(ITensor& input0, MatrixOperation operation0,
                                                  ITensor& input1,
                                                  MatrixOperation operation1) noexcept = 0;
  virtual IConstantLayer* addConstant(const Dims& dimensions, Weights weights) noexcept = 0;
  virtual IIdentityLayer* addIdentity(ITensor& input) noexcept = 0;
  virtual IParametricReLULayer* addParametricReLU(ITensor& input, ITensor& slope) noexcept = 0;

  virtual int32_t getNbLayers() const noexcept = 0;
  virtual ILayer* getLayer(int32_t index) const noexcept = 0;
  virtual int32_t getNbInputs() const noexcept = 0;
  virtual ITensor* getInput(int32_t index) const noexcept = 0;
  virtual int32_t getNbOutputs() const noexcept = 0;
  virtual ITensor* getOutput(int32_t index) const noexcept = 0;
  virtual void setName(const char* name) noexcept = 0;
  virtual const char* getName() const noexcept = 0;
  virtual bool hasImplicitBatchDimension() const noexcept = 0;
};

}  // namespace dlaexec
