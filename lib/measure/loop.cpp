#include "measure/loop.h"

#include <algorithm>

namespace dlaexec::measure {

bool Loop::goes_on() const {
  return limits_.endless || iterations_ < limits_.iterations + skipped_ ||
         elapsed_ms_ < limits_.duration_ms + limits_.warm_up_ms;
}

Phase Loop::completed(double latest_start_ms) {
  ++iterations_;
  elapsed_ms_ = std::max(elapsed_ms_, latest_start_ms);
  if (elapsed_ms_ >= limits_.warm_up_ms) return Phase::Timed;
  if (elapsed_ms_ > 0) ++skipped_;
  return Phase::WarmUp;
}

}  // namespace dlaexec::measure
