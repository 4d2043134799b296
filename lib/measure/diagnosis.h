// What makes a series doubtful: steps, drift, two modes, outliers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dlaexec::measure {

/// The speed changed once and stayed so, as when a chip throttles.
struct Step {
  size_t at = 0;        ///< the first sample after it
  double relative = 0;  ///< the change over the median of what came before
  double size = 0;      ///< the change itself
};

/// The speed changed gradually over the whole series.
struct Drift {
  double relative = 0;  ///< from the series' first to its last sample, over its median
  double size = 0;      ///< the change itself
};

/// Samples fall into two separate heaps.
struct TwoModes {
  double low = 0, high = 0;  ///< the heaps' means
  double high_share = 0;     ///< part of the samples in the upper heap
  double relative = 0;       ///< distance of the means over the median
};

/// What was found in a series. Nothing is found in fewer than 20 samples.
struct Diagnosis {
  std::optional<Step> step;
  std::optional<Drift> drift;
  std::optional<TwoModes> two_modes;
  size_t outliers = 0;  ///< samples further than 5 robust deviations above the median

  /// The largest change inside the series that its noise does not explain, in the samples' unit.
  double unsteadiness() const;
  /// One sentence per finding, for people.
  std::vector<std::string> sentences() const;
};

Diagnosis diagnose(std::span<const float> samples);

}  // namespace dlaexec::measure
