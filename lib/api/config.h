// IBuilderConfig as build::Options.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "api/calibrator.h"
#include "api/network.h"
#include "build/options.h"
#include "dlaexec/builder.h"

namespace dlaexec::api {

class BuilderConfig final : public IBuilderConfig {
 public:
  explicit BuilderConfig(ILogger& logger) : logger_(logger) {}

  void setFlag(BuilderFlag flag) noexcept override { settings_.flags |= bit(flag); }
  void clearFlag(BuilderFlag flag) noexcept override { settings_.flags &= ~bit(flag); }
  bool getFlag(BuilderFlag flag) const noexcept override {
    return (settings_.flags & bit(flag)) != 0;
  }
  void setFlags(BuilderFlags flags) noexcept override { settings_.flags = flags; }
  BuilderFlags getFlags() const noexcept override { return settings_.flags; }

  void setDeviceType(const ILayer* layer, DeviceType type) noexcept override {
    settings_.devices[layer] = type;
  }
  DeviceType getDeviceType(const ILayer* layer) const noexcept override;
  bool isDeviceTypeSet(const ILayer* layer) const noexcept override {
    return settings_.devices.contains(layer);
  }
  void resetDeviceType(const ILayer* layer) noexcept override { settings_.devices.erase(layer); }
  bool canRunOnDLA(const ILayer* layer) const noexcept override;
  void setDefaultDeviceType(DeviceType type) noexcept override { settings_.default_device = type; }
  DeviceType getDefaultDeviceType() const noexcept override { return settings_.default_device; }
  void setDLACore(int32_t core) noexcept override { settings_.dla_core = core; }
  int32_t getDLACore() const noexcept override { return settings_.dla_core; }

  void setEngineCapability(EngineCapability capability) noexcept override {
    settings_.capability = capability;
  }
  EngineCapability getEngineCapability() const noexcept override { return settings_.capability; }
  void setMemoryPoolLimit(MemoryPoolType pool, std::size_t bytes) noexcept override {
    settings_.pools[pool] = bytes;
  }
  std::size_t getMemoryPoolLimit(MemoryPoolType pool) const noexcept override;
  void setProfilingVerbosity(ProfilingVerbosity verbosity) noexcept override {
    settings_.verbosity = verbosity;
  }
  ProfilingVerbosity getProfilingVerbosity() const noexcept override { return settings_.verbosity; }
  bool setPlatform(const char* name) noexcept override;
  const char* getPlatform() const noexcept override { return settings_.platform.c_str(); }
  void setInt8Calibrator(IInt8Calibrator* calibrator) noexcept override {
    settings_.calibrator = calibrator;
  }
  IInt8Calibrator* getInt8Calibrator() const noexcept override { return settings_.calibrator; }
  bool setCalibrationProfile(const IOptimizationProfile* profile) noexcept override;
  const IOptimizationProfile* getCalibrationProfile() noexcept override {
    return settings_.calibration_profile;
  }
  int32_t addOptimizationProfile(const IOptimizationProfile* profile) noexcept override;
  int32_t getNbOptimizationProfiles() const noexcept override {
    return settings_.profile == nullptr ? 0 : 1;
  }
  void setMinTimingIterations(int32_t averages) noexcept override {
    settings_.repetitions.averages = std::max(1, averages);
  }
  int32_t getMinTimingIterations() const noexcept override {
    return settings_.repetitions.averages.value_or(1);
  }
  void setAvgTimingIterations(int32_t launches) noexcept override {
    settings_.repetitions.launches = std::max(1, launches);
  }
  int32_t getAvgTimingIterations() const noexcept override {
    return settings_.repetitions.launches.value_or(1);
  }
  void reset() noexcept override;

  /// What a build of @p network under this configuration is asked for.
  build::Options options(const Network& network, int64_t implicit_batch) const;

 private:
  static BuilderFlags bit(BuilderFlag flag) { return 1u << static_cast<int>(flag); }
  bool uses_dla() const;

  /// Everything that reset() puts back.
  struct Settings {
    BuilderFlags flags = bit(BuilderFlag::kTF32);
    std::map<const ILayer*, DeviceType> devices;
    DeviceType default_device = DeviceType::kGPU;
    int32_t dla_core = -1;
    EngineCapability capability = EngineCapability::kSTANDARD;
    std::map<MemoryPoolType, std::size_t> pools;
    tune::Repetitions repetitions;
    ProfilingVerbosity verbosity = ProfilingVerbosity::kLAYER_NAMES_ONLY;
    IInt8Calibrator* calibrator = nullptr;
    const OptimizationProfile* calibration_profile = nullptr;
    const OptimizationProfile* profile = nullptr;
    std::string platform = build::Options{}.platform;
  };

  ILogger& logger_;
  Settings settings_;
};

}  // namespace dlaexec::api
