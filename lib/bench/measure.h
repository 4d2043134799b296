// Warms up, runs, samples and stops, by the time of the timeline.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "bench/result.h"
#include "measure/loop.h"
#include "run/timeline.h"

namespace dlaexec::bench {

struct Options {
  measure::LoopLimits limits;
  double idle_ms = 0;             ///< pause after each timed iteration, on the timeline
  bool expose_transfers = false;  ///< a query begins when the one before has ended
  double most_wall_s = 60;        ///< real time after which measuring ends, with a warning
  /// Ends when the median's 95 % interval reaches no further than this part of it to either side.
  std::optional<double> until_stable;
  const std::atomic<bool>* interrupt = nullptr;  ///< becoming true ends measuring; may be null
};

/// Runs one query and tells when its steps ran.
using Execute = std::function<run::Timeline()>;

/// The host's clock and its way to pause; scripted in tests.
struct Clock {
  std::function<run::Nanoseconds()> now;
  std::function<void(run::Nanoseconds)> sleep;
  static Clock steady();
};

/// Measures queries on one stream per entry of @p streams. @p steps are the engine's, in the order
/// of every Timeline. Streams share the processors: on a composed timeline a step waits until its
/// processor is free. Warns when it ends early; throws an Error when no query ran at all.
Result measure(const std::vector<Execute>& streams, const std::vector<run::Step>& steps,
               const Options& options, const Clock& clock = Clock::steady());

}  // namespace dlaexec::bench
