// What measuring gives: when each query ran, how long each step of it took, why measuring ended.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "run/timeline.h"

namespace dlaexec::bench {

/// One query on the timeline, in ms since measuring began. Where host and engines share their
/// memory, or copies are left out, transfers take no time: they lie at the ends of the computing.
struct Query {
  double start_enqueue_ms = 0, end_enqueue_ms = 0;  ///< the host's own work, measured
  double start_h2d_ms = 0, end_h2d_ms = 0;
  double start_compute_ms = 0, end_compute_ms = 0;
  double start_d2h_ms = 0, end_d2h_ms = 0;

  float enqueue_ms() const { return static_cast<float>(end_enqueue_ms - start_enqueue_ms); }
  float h2d_ms() const { return static_cast<float>(end_h2d_ms - start_h2d_ms); }
  float compute_ms() const { return static_cast<float>(end_compute_ms - start_compute_ms); }
  float d2h_ms() const { return static_cast<float>(end_d2h_ms - start_d2h_ms); }
  float latency_ms() const { return h2d_ms() + compute_ms() + d2h_ms(); }
};

/// Why measuring ended.
enum class End {
  Limits,       ///< iterations and duration were reached
  Stable,       ///< the median was known well enough
  Unstable,     ///< it was not, when the most time for it was used up
  WallTime,     ///< the most real time was used up
  Interrupted,  ///< the user asked for the end
};
std::string_view text(End end);

/// What a neighbour did while the engine was measured.
struct NeighbourWork {
  size_t queries = 0;
  double free_ms = 0;  ///< when the last of them has ended, on the timeline

  double throughput_qps() const {
    return free_ms > 0 ? static_cast<double>(queries) * 1000 / free_ms : 0;
  }
};

struct Result {
  run::TimelineKind timeline = run::TimelineKind::Wall;
  std::vector<Query> queries;  ///< by start, those of the warm-up first
  size_t warm_up_queries = 0;
  double warm_up_ms = 0;  ///< that was asked for
  int streams = 1;
  /// For each step of the plan its durations in ms, one per query in order of execution.
  std::vector<std::vector<float>> step_ms;
  std::vector<NeighbourWork> neighbours;  ///< in the order of Options::neighbours
  End end = End::Limits;
  double wall_s = 0;  ///< real time that measuring took, emulation included

  std::span<const Query> timed() const { return std::span(queries).subspan(warm_up_queries); }
};

}  // namespace dlaexec::bench
