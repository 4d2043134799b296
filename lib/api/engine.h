// ICudaEngine over run::Engine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/edge.h"
#include "dla/format.h"
#include "dlaexec/runtime.h"
#include "run/engine.h"

namespace dlaexec::api {

class HostMemory final : public IHostMemory {
 public:
  explicit HostMemory(std::string bytes) : bytes_(std::move(bytes)) {}
  void* data() const noexcept override { return const_cast<char*>(bytes_.data()); }
  std::size_t size() const noexcept override { return bytes_.size(); }
  DataType type() const noexcept override { return DataType::kINT8; }

 private:
  std::string bytes_;
};

/// One binding with how its bytes lie in the application's memory.
struct Slot {
  run::Binding binding;
  bool is_input = true;
  size_t position = 0;  ///< among the inputs, or among the outputs

  /// Nothing for a dense, row-major binding.
  std::optional<dla::Layout> layout(const ir::Dims& dims, dla::Generation generation) const;
  size_t size_bytes(const ir::Dims& dims, dla::Generation generation) const;
};

/// What an engine and its contexts share; lives until the last of them is gone.
struct SharedEngine {
  SharedEngine(plan::Plan plan, std::optional<int> dla_core);

  run::Engine engine;
  dla::Generation generation;
  std::vector<Slot> slots;  ///< inputs, then outputs

  const Slot* find(const char* name) const;
};

class CudaEngine final : public ICudaEngine {
 public:
  CudaEngine(ILogger& logger, plan::Plan plan, std::optional<int> dla_core)
      : logger_(logger), shared_(std::make_shared<SharedEngine>(std::move(plan), dla_core)) {}
  CudaEngine(ILogger& logger, std::shared_ptr<SharedEngine> shared)
      : logger_(logger), shared_(std::move(shared)) {}

  IExecutionContext* createExecutionContext() noexcept override;
  IHostMemory* serialize() const noexcept override;
  int32_t getNbLayers() const noexcept override;
  int32_t getNbIOTensors() const noexcept override;
  const char* getIOTensorName(int32_t index) const noexcept override;
  Dims getTensorShape(const char* name) const noexcept override;
  DataType getTensorDataType(const char* name) const noexcept override;
  TensorFormat getTensorFormat(const char* name) const noexcept override;
  TensorIOMode getTensorIOMode(const char* name) const noexcept override;
  std::size_t getTensorSizeInBytes(const char* name) const noexcept override;
  int32_t getTensorBytesPerComponent(const char* name) const noexcept override;
  int32_t getTensorComponentsPerElement(const char* name) const noexcept override;
  int32_t getTensorVectorizedDim(const char* name) const noexcept override;
  int32_t getNbBindings() const noexcept override { return getNbIOTensors(); }
  const char* getBindingName(int32_t index) const noexcept override {
    return getIOTensorName(index);
  }
  int32_t getBindingIndex(const char* name) const noexcept override;
  bool bindingIsInput(int32_t index) const noexcept override;
  Dims getBindingDimensions(int32_t index) const noexcept override;
  DataType getBindingDataType(int32_t index) const noexcept override;
  const char* getName() const noexcept override;

 private:
  const Slot* slot(int32_t index) const;
  std::optional<dla::Layout> layout(const char* name) const;

  ILogger& logger_;
  std::shared_ptr<SharedEngine> shared_;
};

}  // namespace dlaexec::api
