#include "api/engine.h"

#include "api/binding_layout.h"
#include "api/context.h"
#include "api/convert.h"
#include "dla/platform.h"
#include "plan/file.h"

namespace dlaexec::api {
namespace {

run::EngineOptions engine_options(std::optional<int> dla_core) {
  run::EngineOptions options;
  options.board.dla_core = dla_core;
  return options;
}

}  // namespace

std::optional<dla::Layout> Slot::layout(const ir::Dims& dims, dla::Generation generation) const {
  return binding_layout(binding.format, binding.type, dims, generation);
}

size_t Slot::size_bytes(const ir::Dims& dims, dla::Generation generation) const {
  if (const auto padded = layout(dims, generation))
    return static_cast<size_t>(dla::size_bytes(*padded, dla::nchw_of(dims)));
  return static_cast<size_t>(ir::volume(dims)) * ir::size_bytes(binding.type);
}

SharedEngine::SharedEngine(plan::Plan plan, std::optional<int> dla_core)
    : engine(std::move(plan), engine_options(dla_core)),
      generation(dla::platform(engine.plan().metadata.platform).generation) {
  for (size_t i = 0; i < engine.inputs().size(); ++i)
    slots.push_back({engine.inputs()[i], true, i});
  for (size_t i = 0; i < engine.outputs().size(); ++i)
    slots.push_back({engine.outputs()[i], false, i});
}

const Slot* SharedEngine::find(const char* name) const {
  for (const Slot& slot : slots)
    if (slot.binding.name == name) return &slot;
  return nullptr;
}

IExecutionContext* CudaEngine::createExecutionContext() noexcept {
  return guarded<IExecutionContext*>(logger_, nullptr,
                                     [&] { return new ExecutionContext(logger_, shared_); });
}

IHostMemory* CudaEngine::serialize() const noexcept {
  return guarded<IHostMemory*>(
      logger_, nullptr, [&] { return new HostMemory(plan::to_bytes(shared_->engine.plan())); });
}

int32_t CudaEngine::getNbLayers() const noexcept {
  return static_cast<int32_t>(shared_->engine.steps().size());
}

int32_t CudaEngine::getNbIOTensors() const noexcept {
  return static_cast<int32_t>(shared_->slots.size());
}

const Slot* CudaEngine::slot(int32_t index) const {
  return index >= 0 && index < getNbIOTensors() ? &shared_->slots[static_cast<size_t>(index)]
                                                : nullptr;
}

const char* CudaEngine::getIOTensorName(int32_t index) const noexcept {
  const Slot* found = slot(index);
  return found ? found->binding.name.c_str() : nullptr;
}

Dims CudaEngine::getTensorShape(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  return guarded(logger_, Dims{-1, {}}, [&] {
    return found ? to_dims(found->binding.shape) : Dims{-1, {}};
  });
}

DataType CudaEngine::getTensorDataType(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  return found ? to_api(found->binding.type) : DataType::kFLOAT;
}

TensorFormat CudaEngine::getTensorFormat(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  return found ? static_cast<TensorFormat>(found->binding.format) : TensorFormat::kLINEAR;
}

TensorIOMode CudaEngine::getTensorIOMode(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  if (!found) return TensorIOMode::kNONE;
  return found->is_input ? TensorIOMode::kINPUT : TensorIOMode::kOUTPUT;
}

std::size_t CudaEngine::getTensorSizeInBytes(const char* name) const noexcept {
  return guarded<std::size_t>(logger_, 0, [&]() -> std::size_t {
    const Slot* found = shared_->find(name);
    if (!found || !ir::is_static(found->binding.shape)) return 0;
    return found->size_bytes(ir::dims_of(found->binding.shape), shared_->generation);
  });
}

std::optional<dla::Layout> CudaEngine::layout(const char* name) const {
  const Slot* found = shared_->find(name);
  if (!found || !ir::is_static(found->binding.shape)) return std::nullopt;
  return found->layout(ir::dims_of(found->binding.shape), shared_->generation);
}

int32_t CudaEngine::getTensorBytesPerComponent(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  return found ? static_cast<int32_t>(ir::size_bytes(found->binding.type)) : -1;
}

int32_t CudaEngine::getTensorComponentsPerElement(const char* name) const noexcept {
  return guarded(logger_, -1, [&] {
    if (!shared_->find(name)) return -1;
    const auto lanes = layout(name);
    return lanes ? static_cast<int32_t>(lanes->lanes) : 1;
  });
}

int32_t CudaEngine::getTensorVectorizedDim(const char* name) const noexcept {
  return getTensorComponentsPerElement(name) > 1 ? 1 : -1;  // channels
}

int32_t CudaEngine::getBindingIndex(const char* name) const noexcept {
  const Slot* found = shared_->find(name);
  return found ? static_cast<int32_t>(found - shared_->slots.data()) : -1;
}

bool CudaEngine::bindingIsInput(int32_t index) const noexcept {
  const Slot* found = slot(index);
  return found && found->is_input;
}

Dims CudaEngine::getBindingDimensions(int32_t index) const noexcept {
  const char* name = getIOTensorName(index);
  return name ? getTensorShape(name) : Dims{-1, {}};
}

DataType CudaEngine::getBindingDataType(int32_t index) const noexcept {
  const char* name = getIOTensorName(index);
  return name ? getTensorDataType(name) : DataType::kFLOAT;
}

const char* CudaEngine::getName() const noexcept {
  return shared_->engine.plan().graph.name.c_str();
}

}  // namespace dlaexec::api
