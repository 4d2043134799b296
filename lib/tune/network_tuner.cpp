#include "tune/network_tuner.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "gpu/groups.h"
#include "tune/decisions.h"
#include "tune/network_bench.h"
#include "tune/problems.h"

namespace dlaexec::tune {
namespace {

using Clock = std::chrono::steady_clock;

/// What @p bench says of @p tried; the log learns it.
std::optional<double> told(const Choices& kept, const Choices& tried, NetworkBench& bench) {
  const std::optional<double> ratio = bench.compare(kept, tried);
  for (const auto& [problem, tactic] : tried)
    if (ratio && kept.at(problem) != tactic)
      log::verbose("in the network {:+.2f} % with {} instead of {} for {}", 100 * (*ratio - 1),
                   tactic, kept.at(problem), problem);
  return ratio;
}

/// What @p cache knows of the problems of @p apart.
Choices known_choices(std::span<const gpu::Lowered> apart, const TimingCache& cache,
                      const std::string& device) {
  Choices choices;
  for (const gpu::Lowered& lowered : apart)
    for (const gpu::Choice& choice : lowered.choices)
      if (const Decision* known = cache.find(device, choice.problem))
        choices[choice.problem] = known->tactic;
  return choices;
}

}  // namespace

std::vector<Exchange> exchanges_of(const Rankings& rankings, std::span<const gpu::Lowered> apart) {
  constexpr size_t kMost = 5;       // tactics of a problem, the first among them
  constexpr double kNoMatch = 1.2;  // of the first one's cost
  std::map<std::string, int> posed;
  std::vector<Exchange> exchanges;
  Exchange all_apart{{}, 1e30};
  for (const gpu::Lowered& lowered : apart)
    for (const gpu::Choice& choice : lowered.choices) {
      ++posed[choice.problem];
      if (runs_apart(choice.tactics) && rankings.contains(choice.problem))
        all_apart.changes[choice.problem] = std::string(gpu::kApart);
    }
  if (!all_apart.changes.empty()) exchanges.push_back(all_apart);
  for (const auto& [problem, ranked] : rankings)
    for (size_t i = 1; i < std::min(kMost, ranked.size()); ++i)
      if (ranked[i].cost < kNoMatch * ranked[0].cost)
        exchanges.push_back({{{problem, ranked[i].tactic}},
                             posed[problem] * ranked[0].microseconds / static_cast<double>(i)});
  for (const auto& [problem, tactic] : all_apart.changes)
    exchanges.push_back(
        {{{problem, tactic}}, posed[problem] * rankings.at(problem)[0].microseconds});
  return exchanges;
}

void tune_network(std::span<const ir::Graph> parts, std::span<const gpu::Lowered> apart,
                  const Rankings& rankings, const gpu::Context& context, KernelSupply& kernels,
                  TimingCache& cache, const TuneOptions& options) try {
  const std::string device = device_key(context.target(), options.libraries);
  const auto start = Clock::now();
  const gpu::LowerOptions lowering = lowering_of(options);
  ExchangeLimits limits;
  limits.time_is_up = [&] { return Clock::now() - start > options.network_time; };
  NetworkBench bench(parts, context, kernels, lowering, limits.least_gain);
  const Choices first = known_choices(apart, cache, device);
  Exchanged found = exchange(
      first, exchanges_of(rankings, apart),
      [&](const Choices& kept, const Choices& tried) { return told(kept, tried, bench); }, limits);
  // Once more against all that came before: of many small gains some are the measurement's.
  found.ratio = found.kept > 0 ? bench.compare(first, found.choices).value_or(1) : 1;
  if (found.ratio >= 1) found = {first, 1, found.tried, 0};
  const double microseconds = bench.microseconds(found.choices);
  const std::string network = network_key(apart);
  for (const auto& [problem, tactic] : found.choices)
    cache.set(device, in_network(network, problem), {tactic, microseconds});
  log::info(
      "Tactics tried in the whole network: {}, of which {} were kept; with them it takes {:.1f} "
      "us, "
      "{:.1f} % less than with those that are fastest alone",
      found.tried, found.kept, microseconds, 100 * (1 - found.ratio));
} catch (const Error& error) {
  log::info("Tactics are chosen problem by problem, not in the whole network: {}",
            error.sentence());
}

}  // namespace dlaexec::tune
