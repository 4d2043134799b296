// INT8 ranges from an application's data.
#pragma once

#include "dlaexec/types.h"

namespace dlaexec {

enum class CalibrationAlgoType : int32_t {
  kLEGACY_CALIBRATION = 0,
  kENTROPY_CALIBRATION = 1,
  kENTROPY_CALIBRATION_2 = 2,
  kMINMAX_CALIBRATION = 3,
};

/// What an application derives its calibrator from, through one of the kinds below. Asked while a
/// network is built with kINT8: first for a cache, then, if there is none, for batches until there
/// are no more.
class IInt8Calibrator {
 public:
  virtual ~IInt8Calibrator() = default;
  /// Samples per batch; the network's own batch where that is fixed.
  virtual int32_t getBatchSize() const noexcept = 0;
  /// Sets bindings[i] to the dense elements of input names[i], of the input's type: memory of the
  /// host, where TensorRT reads a device's. False: there are no more batches.
  virtual bool getBatch(void* bindings[], const char* names[], int32_t nbBindings) noexcept = 0;
  /// A cache that was written before, or null; it must live until the next call.
  virtual const void* readCalibrationCache(std::size_t& length) noexcept = 0;
  virtual void writeCalibrationCache(const void* ptr, std::size_t length) noexcept = 0;
  virtual CalibrationAlgoType getAlgorithm() noexcept = 0;
};

/// Chooses the range that keeps most of a tensor's information. The kind that the DLA takes.
class IInt8EntropyCalibrator2 : public IInt8Calibrator {
 public:
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kENTROPY_CALIBRATION_2;
  }
};

/// Chooses the range of all that was seen.
class IInt8MinMaxCalibrator : public IInt8Calibrator {
 public:
  CalibrationAlgoType getAlgorithm() noexcept override {
    return CalibrationAlgoType::kMINMAX_CALIBRATION;
  }
};

enum class OptProfileSelector : int32_t { kMIN = 0, kOPT = 1, kMAX = 2 };

/// The shapes of inputs whose dimensions are -1 in the network.
class IOptimizationProfile {
 public:
  virtual ~IOptimizationProfile() = default;
  virtual bool setDimensions(const char* inputName, OptProfileSelector select,
                             const Dims& dims) noexcept = 0;
  /// nbDims is -1 when they were never set.
  virtual Dims getDimensions(const char* inputName, OptProfileSelector select) const noexcept = 0;
  /// True when every input that was named has all three, and min <= opt <= max.
  virtual bool isValid() const noexcept = 0;
};

}  // namespace dlaexec
