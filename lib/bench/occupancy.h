// When a processor of a composed timeline is busy.
#pragma once

#include <deque>

namespace dlaexec::bench {

/// One processor that runs one piece of work at a time, first asked, first served, gaps filled.
class Occupancy {
 public:
  /// The earliest start at or after @p earliest_ms at which the processor is free for
  /// @p duration_ms; the time is taken.
  double reserve(double earliest_ms, double duration_ms);
  /// Nothing will be asked for before @p time_ms any more.
  void forget_before(double time_ms);

 private:
  struct Busy {
    double start, end;
  };
  std::deque<Busy> busy_;  ///< by start, without overlaps
};

}  // namespace dlaexec::bench
