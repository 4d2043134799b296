// The second phase of tuning: tactics chosen problem by problem are exchanged one at a time, and
// what the whole network is faster with stays. Decides only; who measures is the caller's affair.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dlaexec::tune {

/// Tactics by problem.
using Choices = std::map<std::string, std::string>;

/// Other tactics for some problems, tried together.
struct Exchange {
  Choices changes;
  double promise = 0;  ///< those that promise more are tried first
};

/// The network's time with the tactics @p tried over its time with @p kept; nothing when it cannot
/// run with @p tried, or makes the same launches.
using Compare = std::function<std::optional<double>(const Choices& kept, const Choices& tried)>;

struct ExchangeLimits {
  /// What an exchange must gain to be kept: more than a measurement's scatter.
  double least_gain = 0.002;
  /// An exchange that loses more than this is not tried again once others were kept.
  double hopeless = 0.01;
  int rounds = 2;
  /// True once no further exchange is to be tried.
  std::function<bool()> time_is_up;
};

struct Exchanged {
  Choices choices;
  double ratio = 1;  ///< of the network's time to what it was, by the comparisons that decided
  int tried = 0, kept = 0;
};

/// Tries @p exchanges on top of @p first, each kept one on top of those before it.
Exchanged exchange(Choices first, std::vector<Exchange> exchanges, const Compare& compare,
                   const ExchangeLimits& limits);

}  // namespace dlaexec::tune
