#include "bench/occupancy.h"

#include <algorithm>

namespace dlaexec::bench {

double Occupancy::reserve(double earliest_ms, double duration_ms) {
  if (duration_ms <= 0) return earliest_ms;
  double start = earliest_ms;
  auto next = busy_.begin();
  for (; next != busy_.end(); ++next) {
    if (start + duration_ms <= next->start) break;
    start = std::max(start, next->end);
  }
  busy_.insert(next, {start, start + duration_ms});
  return start;
}

void Occupancy::forget_before(double time_ms) {
  while (!busy_.empty() && busy_.front().end <= time_ms) busy_.pop_front();
}

}  // namespace dlaexec::bench
