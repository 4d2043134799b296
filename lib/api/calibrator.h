// An application's calibrator and optimization profile as parts of build::Options.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "build/options.h"
#include "dlaexec/calibrator.h"

namespace dlaexec::api {

class OptimizationProfile final : public IOptimizationProfile {
 public:
  bool setDimensions(const char* input, OptProfileSelector select,
                     const Dims& dims) noexcept override;
  Dims getDimensions(const char* input, OptProfileSelector select) const noexcept override;
  bool isValid() const noexcept override;

  /// Throws an Error when the profile is not valid.
  std::vector<build::InputShape> shapes() const;
  /// Each input fixed at its optimum: what a calibration runs with.
  std::vector<build::InputShape> optimal_shapes() const;

 private:
  std::map<std::string, std::array<std::optional<ir::Dims>, 3>> inputs_;
};

/// Makes @p options find their ranges through @p calibrator: its cache, else its batches. The
/// application's calibrator and @p profile (null: the network's shapes) must outlive the build.
void use_calibrator(build::Options& options, IInt8Calibrator& calibrator,
                    const OptimizationProfile* profile);

}  // namespace dlaexec::api
