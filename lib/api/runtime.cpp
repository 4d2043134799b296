#include "dlaexec/runtime.h"

#include "api/engine.h"
#include "api/log_forward.h"
#include "build/options.h"
#include "dla/platform.h"
#include "plan/file.h"

namespace dlaexec {
namespace api {
namespace {

class Runtime final : public IRuntime {
 public:
  explicit Runtime(ILogger& logger) : logger_(logger) {}

  ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept override {
    return guarded<ICudaEngine*>(logger_, nullptr, [&] {
      const LogForward forward(logger_);
      // The application may free its bytes after this call: the plan keeps a copy.
      auto copy = std::make_shared<const std::string>(static_cast<const char*>(blob), size);
      plan::Plan plan = plan::from_bytes(std::as_bytes(std::span(*copy)), copy);
      const std::optional<int> core = dla_core_ < 0 ? std::nullopt : std::optional<int>(dla_core_);
      return new CudaEngine(logger_, std::move(plan), core);
    });
  }
  void setDLACore(int32_t core) noexcept override { dla_core_ = core; }
  int32_t getDLACore() const noexcept override { return dla_core_; }
  int32_t getNbDLACores() const noexcept override {
    return dla::platform(build::Options{}.platform).dla_cores;
  }

 private:
  ILogger& logger_;
  int32_t dla_core_ = -1;
};

}  // namespace
}  // namespace api

IRuntime* createInferRuntime(ILogger& logger) noexcept { return new api::Runtime(logger); }

}  // namespace dlaexec
