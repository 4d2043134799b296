#include "tune/exchange.h"

#include <algorithm>

namespace dlaexec::tune {
namespace {

Choices with(const Choices& choices, const Exchange& exchange) {
  Choices changed = choices;
  for (const auto& [problem, tactic] : exchange.changes) changed[problem] = tactic;
  return changed;
}

}  // namespace

Exchanged exchange(Choices first, std::vector<Exchange> exchanges, const Compare& compare,
                   const ExchangeLimits& limits) {
  std::stable_sort(exchanges.begin(), exchanges.end(),
                   [](const Exchange& a, const Exchange& b) { return a.promise > b.promise; });
  Exchanged result{std::move(first)};
  for (int round = 0; round < limits.rounds && !exchanges.empty(); ++round) {
    const int kept_before = result.kept;
    std::vector<Exchange> again;
    for (Exchange& candidate : exchanges) {
      if (limits.time_is_up()) return result;
      Choices tried = with(result.choices, candidate);
      if (tried == result.choices) continue;
      const std::optional<double> ratio = compare(result.choices, tried);
      if (!ratio) {
        again.push_back(std::move(candidate));  // its problem may come back with another choice
        continue;
      }
      ++result.tried;
      if (*ratio < 1 - limits.least_gain) {
        result.choices = std::move(tried);
        result.ratio *= *ratio;
        ++result.kept;
      } else if (*ratio < 1 + limits.hopeless) {
        again.push_back(std::move(candidate));
      }
    }
    if (result.kept == kept_before) break;
    exchanges = std::move(again);
  }
  return result;
}

}  // namespace dlaexec::tune
