// When a measuring loop goes on and when it ends: trtexec's arithmetic on any clock.
#pragma once

#include <cstdint>

namespace dlaexec::measure {

/// How long to measure. Times are on the timeline's clock.
struct LoopLimits {
  int64_t iterations = 10;    ///< at least so many after warming up
  double duration_ms = 3000;  ///< at least so long after warming up
  double warm_up_ms = 200;
  bool endless = false;  ///< never ends by itself
};

enum class Phase { WarmUp, Timed };

/// Counts iterations against the limits. The caller runs an iteration while goes_on(), then tells
/// when the newest query that it has waited for began.
class Loop {
 public:
  explicit Loop(const LoopLimits& limits) : limits_(limits) {}

  bool goes_on() const;

  /// Ends one iteration. @p latest_start_ms is the start of the newest finished query since the
  /// loop began; 0 while none has finished. Says in which phase the loop now is: an iteration that
  /// ends while warming up does not count towards the iterations asked for.
  Phase completed(double latest_start_ms);

  double elapsed_ms() const { return elapsed_ms_; }
  int64_t iterations() const { return iterations_; }

 private:
  LoopLimits limits_;
  int64_t iterations_ = 0;
  int64_t skipped_ = 0;
  double elapsed_ms_ = 0;
};

}  // namespace dlaexec::measure
