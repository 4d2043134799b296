// IExecutionContext over run::Context.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/engine.h"
#include "dlaexec/runtime.h"

namespace dlaexec::api {

class ExecutionContext final : public IExecutionContext {
 public:
  ExecutionContext(ILogger& logger, std::shared_ptr<SharedEngine> shared);

  bool executeV2(void* const* bindings) noexcept override;
  bool execute(int32_t batch, void* const* bindings) noexcept override;
  bool setTensorAddress(const char* name, void* data) noexcept override;
  bool setInputShape(const char* name, const Dims& dims) noexcept override;
  Dims getTensorShape(const char* name) const noexcept override;
  Dims getTensorStrides(const char* name) const noexcept override;
  Dims getStrides(int32_t index) const noexcept override;
  bool enqueueV3(void* stream) noexcept override;
  void setProfiler(IProfiler* profiler) noexcept override { profiler_ = profiler; }
  const ICudaEngine& getEngine() const noexcept override { return engine_; }

 private:
  ir::Dims dims_of(const Slot& slot) const;
  /// Reads an input, or the first @p items of it; the others are zero then.
  ir::Tensor read(const Slot& slot, const void* address, std::optional<int64_t> items) const;
  void write(const Slot& slot, void* address, std::optional<int64_t> items) const;
  void run(void* const* bindings, std::optional<int64_t> items = std::nullopt);

  ILogger& logger_;
  std::shared_ptr<SharedEngine> shared_;
  CudaEngine engine_;  ///< a view of the same engine, for getEngine()
  run::Context context_;
  IProfiler* profiler_ = nullptr;
  std::map<std::string, void*> addresses_;
  std::map<std::string, ir::Dims> shapes_;  ///< of inputs, as the user set them
};

}  // namespace dlaexec::api
