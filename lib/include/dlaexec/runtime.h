// From a plan to outputs.
//
// Addresses given to a context are host memory: the engines of this library read and write it
// themselves. An object keeps what it was made from alive, so the order of deletion is free.
#pragma once

#include "dlaexec/types.h"

namespace dlaexec {

class ICudaEngine;

/// Receives the time of each step after an execution.
class IProfiler {
 public:
  virtual ~IProfiler() = default;
  virtual void reportLayerTime(const char* layerName, float ms) noexcept = 0;
};

class IExecutionContext {
 public:
  virtual ~IExecutionContext() = default;
  /// Runs once with one address per binding, in the engine's order, and returns when outputs are
  /// written.
  virtual bool executeV2(void* const* bindings) noexcept = 0;
  /// The same with the first @p batchSize items of a network with an implicit batch dimension; a
  /// plan that uses the DLA takes exactly the batch it was built for.
  virtual bool execute(int32_t batchSize, void* const* bindings) noexcept = 0;
  virtual bool setTensorAddress(const char* tensorName, void* data) noexcept = 0;
  virtual bool setInputShape(const char* tensorName, const Dims& dims) noexcept = 0;
  virtual Dims getTensorShape(const char* tensorName) const noexcept = 0;
  /// Elements between neighbours along each dimension, padding included. In formats that join
  /// channels an element is a whole vector of them: the stride between neighbours of a row is 1,
  /// and along channels it is that between vectors.
  virtual Dims getTensorStrides(const char* tensorName) const noexcept = 0;
  virtual Dims getStrides(int32_t bindingIndex) const noexcept = 0;
  /// Runs with the addresses set by setTensorAddress; @p stream is not used on a host without CUDA.
  virtual bool enqueueV3(void* stream) noexcept = 0;
  virtual void setProfiler(IProfiler* profiler) noexcept = 0;
  virtual const ICudaEngine& getEngine() const noexcept = 0;
};

class ICudaEngine {
 public:
  virtual ~ICudaEngine() = default;
  virtual IExecutionContext* createExecutionContext() noexcept = 0;
  virtual IHostMemory* serialize() const noexcept = 0;
  virtual int32_t getNbLayers() const noexcept = 0;
  virtual int32_t getNbIOTensors() const noexcept = 0;
  virtual const char* getIOTensorName(int32_t index) const noexcept = 0;
  virtual Dims getTensorShape(const char* tensorName) const noexcept = 0;
  virtual DataType getTensorDataType(const char* tensorName) const noexcept = 0;
  virtual TensorFormat getTensorFormat(const char* tensorName) const noexcept = 0;
  virtual TensorIOMode getTensorIOMode(const char* tensorName) const noexcept = 0;
  /// Bytes that the tensor takes in its format, padding included. Not in TensorRT.
  virtual std::size_t getTensorSizeInBytes(const char* tensorName) const noexcept = 0;
  /// Bytes of one number, numbers in one element of the strides, and the dimension that such an
  /// element joins (-1: none).
  virtual int32_t getTensorBytesPerComponent(const char* tensorName) const noexcept = 0;
  virtual int32_t getTensorComponentsPerElement(const char* tensorName) const noexcept = 0;
  virtual int32_t getTensorVectorizedDim(const char* tensorName) const noexcept = 0;
  virtual int32_t getNbBindings() const noexcept = 0;
  virtual const char* getBindingName(int32_t index) const noexcept = 0;
  virtual int32_t getBindingIndex(const char* name) const noexcept = 0;
  virtual bool bindingIsInput(int32_t index) const noexcept = 0;
  virtual Dims getBindingDimensions(int32_t index) const noexcept = 0;
  virtual DataType getBindingDataType(int32_t index) const noexcept = 0;
  virtual const char* getName() const noexcept = 0;
};

class IRuntime {
 public:
  virtual ~IRuntime() = default;
  /// Null after a report to the logger when the bytes are no plan that fits.
  virtual ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept = 0;
  virtual void setDLACore(int32_t core) noexcept = 0;
  virtual int32_t getDLACore() const noexcept = 0;  ///< -1 until set
  virtual int32_t getNbDLACores() const noexcept = 0;
};

/// A runtime that reports to @p logger, which must outlive it and what it made.
IRuntime* createInferRuntime(ILogger& logger) noexcept;

}  // namespace dlaexec
