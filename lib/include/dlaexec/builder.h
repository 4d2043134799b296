// From a network definition to a plan.
#pragma once

#include "dlaexec/calibrator.h"
#include "dlaexec/network.h"

namespace dlaexec {

class ICudaEngine;

/// How to build: permissions, devices, limits. Layers are those of the network, before any fusion.
class IBuilderConfig {
 public:
  virtual ~IBuilderConfig() = default;

  virtual void setFlag(BuilderFlag flag) noexcept = 0;
  virtual void clearFlag(BuilderFlag flag) noexcept = 0;
  virtual bool getFlag(BuilderFlag flag) const noexcept = 0;
  virtual void setFlags(BuilderFlags flags) noexcept = 0;
  virtual BuilderFlags getFlags() const noexcept = 0;

  /// A layer's own device; it wins over the default.
  virtual void setDeviceType(const ILayer* layer, DeviceType type) noexcept = 0;
  virtual DeviceType getDeviceType(const ILayer* layer) const noexcept = 0;
  virtual bool isDeviceTypeSet(const ILayer* layer) const noexcept = 0;
  /// Back to the default device.
  virtual void resetDeviceType(const ILayer* layer) noexcept = 0;
  /// Whether the layer alone meets the DLA's rules; in a network it may still fall out of its
  /// group.
  virtual bool canRunOnDLA(const ILayer* layer) const noexcept = 0;
  virtual void setDefaultDeviceType(DeviceType type) noexcept = 0;
  virtual DeviceType getDefaultDeviceType() const noexcept = 0;
  virtual void setDLACore(int32_t core) noexcept = 0;
  virtual int32_t getDLACore() const noexcept = 0;  ///< -1 until set

  virtual void setEngineCapability(EngineCapability capability) noexcept = 0;
  virtual EngineCapability getEngineCapability() const noexcept = 0;
  /// Bytes. The DLA pools must be powers of two of at least 4 KiB; they are limits per loadable.
  virtual void setMemoryPoolLimit(MemoryPoolType pool, std::size_t bytes) noexcept = 0;
  virtual std::size_t getMemoryPoolLimit(MemoryPoolType pool) const noexcept = 0;
  virtual void setProfilingVerbosity(ProfilingVerbosity verbosity) noexcept = 0;
  virtual ProfilingVerbosity getProfilingVerbosity() const noexcept = 0;

  /// The board whose DLA is emulated, by its name in --listPlatforms; false if there is none so
  /// called. Not in TensorRT, where the board is the one it runs on.
  virtual bool setPlatform(const char* name) noexcept = 0;
  virtual const char* getPlatform() const noexcept = 0;

  /// Who gives data for INT8 ranges; the application keeps it alive until the build has ended.
  /// Ranges that were set on tensors win over those found.
  virtual void setInt8Calibrator(IInt8Calibrator* calibrator) noexcept = 0;
  virtual IInt8Calibrator* getInt8Calibrator() const noexcept = 0;
  /// The shapes that calibration runs with: the profile's optimum. False, reported, if it is not
  /// valid.
  virtual bool setCalibrationProfile(const IOptimizationProfile* profile) noexcept = 0;
  virtual const IOptimizationProfile* getCalibrationProfile() noexcept = 0;
  /// The shapes to build for; its index, or -1 after a report. One profile is supported.
  virtual int32_t addOptimizationProfile(const IOptimizationProfile* profile) noexcept = 0;
  virtual int32_t getNbOptimizationProfiles() const noexcept = 0;

  /// A GPU tactic's time is the least of so many averages, each of so many launches. Until they are
  /// set, when 1 is what is got, they are as many as its length asks for.
  virtual void setMinTimingIterations(int32_t averages) noexcept = 0;
  virtual int32_t getMinTimingIterations() const noexcept = 0;
  virtual void setAvgTimingIterations(int32_t launches) noexcept = 0;
  virtual int32_t getAvgTimingIterations() const noexcept = 0;

  /// Everything back to its default: flags, devices, core, pools, capability.
  virtual void reset() noexcept = 0;
};

class IBuilder {
 public:
  virtual ~IBuilder() = default;
  virtual INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) noexcept = 0;
  virtual IBuilderConfig* createBuilderConfig() noexcept = 0;
  /// A profile to be filled; it belongs to the builder.
  virtual IOptimizationProfile* createOptimizationProfile() noexcept = 0;
  /// The plan, or null after a report to the logger. With EngineCapability::kDLA_STANDALONE the
  /// loadable alone, which dlaexec --runLoadable runs.
  virtual IHostMemory* buildSerializedNetwork(INetworkDefinition& network,
                                              IBuilderConfig& config) noexcept = 0;
  virtual ICudaEngine* buildEngineWithConfig(INetworkDefinition& network,
                                             IBuilderConfig& config) noexcept = 0;

  virtual int32_t getMaxDLABatchSize() const noexcept = 0;
  virtual int32_t getNbDLACores() const noexcept = 0;
  virtual bool platformHasFastFp16() const noexcept = 0;
  virtual bool platformHasFastInt8() const noexcept = 0;
  /// For networks with an implicit batch dimension: the batch that the plan is built for.
  virtual void setMaxBatchSize(int32_t batchSize) noexcept = 0;
  virtual int32_t getMaxBatchSize() const noexcept = 0;
};

/// A builder that reports to @p logger, which must outlive it and what it made.
IBuilder* createInferBuilder(ILogger& logger) noexcept;

}  // namespace dlaexec
