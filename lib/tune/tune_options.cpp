#include "tune/tune_options.h"

#include <algorithm>
#include <cstddef>

namespace dlaexec::tune {

TuneOptions options_of_level(int level) {
  using std::chrono_literals::operator""s;
  constexpr size_t kCandidates[] = {0, 0, 8, 18, 48, 1000};
  constexpr std::chrono::milliseconds kNetworkTime[] = {0s, 0s, 0s, 4s, 10s, 60s};
  const auto row = static_cast<size_t>(std::clamp(level, 0, 5));
  TuneOptions options;
  options.candidates = kCandidates[row];
  options.network_time = kNetworkTime[row];
  return options;
}

}  // namespace dlaexec::tune
