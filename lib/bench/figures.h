// A measurement as the figures that people compare.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/result.h"
#include "measure/statistics.h"

namespace dlaexec::bench {

/// The figures of the timed queries, by trtexec's arithmetic. Times are in ms unless named else.
struct Figures {
  size_t queries = 0;
  double host_walltime_s = 0;  ///< from the first timed start to the last end, on the timeline
  double total_compute_s = 0;  ///< mean times queries
  double throughput_qps = 0;   ///< 0 when no time passed
  measure::Statistics latency, enqueue, h2d, compute, d2h;
};

/// @p ranks are the percentiles wanted.
Figures figures(const Result& result, std::span<const float> ranks);

/// One member of all timed queries, in order.
std::vector<float> series(const Result& result, float (Query::*member)() const);

/// The time from the end of a query to the end of the next, over all streams together: the inverse
/// of the throughput as a series, in ms. Empty with fewer queries than there are streams and one.
std::vector<float> periods(const Result& result);

/// How long one step took over all queries, warm-up included, as trtexec's profiler counts.
struct LayerTime {
  std::string name;
  run::Processor processor = run::Processor::Host;
  run::Kind kind = run::Kind::Measured;
  double total_ms = 0, mean_ms = 0, median_ms = 0;
  double percentage = 0;                       ///< of all steps' total; 0 when that is 0
  std::optional<double> error = std::nullopt;  ///< of a modelled time; see run::Step
};

struct Profile {
  size_t iterations = 0;
  std::vector<LayerTime> layers;  ///< in order of execution
  double total_ms = 0;
};
Profile profile(const Result& result, const std::vector<run::Step>& steps);

}  // namespace dlaexec::bench
