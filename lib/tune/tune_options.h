// What is measured, and how long.
#pragma once

#include <chrono>
#include <cstdint>

#include "gpu/library.h"
#include "tune/repetitions.h"

namespace dlaexec::tune {

struct TuneOptions {
  /// How many of the cost model's favourites are measured for one problem; half of them where
  /// several products run as one launch, whose kernels take long to compile.
  size_t candidates = 0;
  /// How long the next best tactics are tried in the whole network.
  std::chrono::milliseconds network_time{0};
  /// A problem that the cache does not know ends in an Error instead of a measurement.
  bool error_on_miss = false;
  /// As in gpu::LowerOptions.
  int64_t workspace_bytes = INT64_MAX;
  bool full_floats = false;
  Repetitions repetitions;
  gpu::Libraries libraries;  ///< as in gpu::LowerOptions
};

/// What --builderOptimizationLevel=@p level, 0 to 5, asks for.
TuneOptions options_of_level(int level);

}  // namespace dlaexec::tune
