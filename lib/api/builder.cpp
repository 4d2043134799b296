#include "dlaexec/builder.h"

#include <memory>
#include <vector>

#include "api/calibrator.h"
#include "api/config.h"
#include "api/engine.h"
#include "api/log_forward.h"
#include "build/build.h"
#include "build/standalone.h"
#include "dla/platform.h"
#include "dla/rules.h"
#include "plan/file.h"

namespace dlaexec {
namespace api {
namespace {

class Builder final : public IBuilder {
 public:
  explicit Builder(ILogger& logger) : logger_(logger) {}

  INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept override {
    const bool explicit_batch =
        flags >> static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH) & 1u;
    return new Network(logger_, !explicit_batch);
  }
  IBuilderConfig* createBuilderConfig() noexcept override { return new BuilderConfig(logger_); }

  IOptimizationProfile* createOptimizationProfile() noexcept override {
    profiles_.push_back(std::make_unique<OptimizationProfile>());
    return profiles_.back().get();
  }

  IHostMemory* buildSerializedNetwork(INetworkDefinition& network,
                                      IBuilderConfig& config) noexcept override {
    return guarded<IHostMemory*>(logger_, nullptr, [&] {
      const plan::Plan plan = plan_of(network, config);
      if (!is_standalone(config)) return new HostMemory(plan::to_bytes(plan));
      const std::span<const std::byte> loadable = build::sole_loadable(plan);
      return new HostMemory({reinterpret_cast<const char*>(loadable.data()), loadable.size()});
    });
  }
  ICudaEngine* buildEngineWithConfig(INetworkDefinition& network,
                                     IBuilderConfig& config) noexcept override {
    return guarded<ICudaEngine*>(logger_, nullptr, [&] {
      if (is_standalone(config))
        fail(
            "EngineCapability::kDLA_STANDALONE makes a loadable, which is no engine; take it from "
            "buildSerializedNetwork");
      return new CudaEngine(logger_, plan_of(network, config), std::nullopt);
    });
  }

  int32_t getMaxDLABatchSize() const noexcept override { return dla::largest_batch(); }
  int32_t getNbDLACores() const noexcept override {
    return dla::platform(build::Options{}.platform).dla_cores;
  }
  bool platformHasFastFp16() const noexcept override { return true; }
  bool platformHasFastInt8() const noexcept override { return true; }
  void setMaxBatchSize(int32_t batch) noexcept override { max_batch_ = batch; }
  int32_t getMaxBatchSize() const noexcept override { return max_batch_; }

 private:
  static bool is_standalone(const IBuilderConfig& config) {
    return config.getEngineCapability() == EngineCapability::kDLA_STANDALONE;
  }

  plan::Plan plan_of(INetworkDefinition& network, IBuilderConfig& config) const {
    const LogForward forward(logger_);
    const build::Options options =
        dynamic_cast<BuilderConfig&>(config).options(dynamic_cast<Network&>(network), max_batch_);
    if (is_standalone(config)) build::require_standalone(options);
    return build::build(options);
  }

  ILogger& logger_;
  int32_t max_batch_ = 1;
  std::vector<std::unique_ptr<OptimizationProfile>> profiles_;
};

}  // namespace
}  // namespace api

IBuilder* createInferBuilder(ILogger& logger) noexcept { return new api::Builder(logger); }

}  // namespace dlaexec
