// Warms up, runs, samples and stops, by the time of the timeline.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "bench/result.h"
#include "measure/loop.h"
#include "run/timeline.h"

namespace dlaexec::bench {

/// Measuring ends when the median is known well enough, not after a fixed time.
struct Stability {
  double half_width = 0.01;  ///< of the median's 95 % interval, as a part of the median
  double least_ms = 0;       ///< of the timeline, after warming up
  double most_ms = 0;        ///< of the timeline; then measuring ends with a warning
};

/// Runs one query and tells when its steps ran.
using Execute = std::function<run::Timeline()>;

/// Queries that are started and waited for later; the oldest ends first.
struct Overlapped {
  std::function<void()> start;
  std::function<run::QueryTimes()> finish;  ///< waits for the oldest
};

/// How the queries of one stream run.
using Stream = std::variant<Execute, Overlapped>;

/// Another engine that works without a pause on the same processors while one is measured.
struct Neighbour {
  Execute execute;
  std::vector<run::Step> steps;  ///< in the order of every Timeline
};

struct Options {
  measure::LoopLimits limits;
  double idle_ms = 0;  ///< pause after each timed iteration, on the timeline
  /// A query begins when the one before has ended; else one more may be under way, so that its
  /// copies run meanwhile.
  bool expose_transfers = false;
  int dla_cores = 1;        ///< that streams take turns on
  double most_wall_s = 60;  ///< real time after which measuring ends, with a warning
  std::optional<Stability> until_stable;
  const std::atomic<bool>* interrupt = nullptr;  ///< becoming true ends measuring; may be null
  std::vector<Neighbour> neighbours;             ///< for a composed timeline
};

/// The host's clock and its way to pause; scripted in tests.
struct Clock {
  std::function<run::Nanoseconds()> now;
  std::function<void(run::Nanoseconds)> sleep;
  static Clock steady();
};

/// Measures queries on one stream per entry of @p streams. @p steps are the engine's, in the order
/// of every Timeline and of QueryTimes. Streams share the processors: on a composed timeline a step
/// waits until its processor is free, and neighbours take their turns as further streams. Warns
/// when it ends early; throws an Error when no query ran at all.
Result measure(const std::vector<Stream>& streams, const std::vector<run::Step>& steps,
               const Options& options, const Clock& clock = Clock::steady());

}  // namespace dlaexec::bench
