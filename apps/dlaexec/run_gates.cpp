#include "run_gates.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "bench/figures.h"
#include "dla/loadable.h"
#include "grammar.h"
#include "measure/interval.h"
#include "report/machine.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

using report::Gate;
using report::number;
using report::Outcome;

constexpr double kMedian = 50;

/// One entry of --maxLatency.
struct LatencyLimit {
  double rank = kMedian;
  double most_ms = 0;
};

/// "5" or "p99:5"
LatencyLimit parse_latency_limit(const std::string& text) {
  LatencyLimit limit;
  const char* at = text.c_str();
  char* end = nullptr;
  if (text.starts_with('p')) {
    limit.rank = std::strtod(at + 1, &end);
    if (end == at + 1 || *end != ':' || !(limit.rank >= 0 && limit.rank <= 100))
      fail(Fault::Usage, "--maxLatency has '{}'; write MS or pRANK:MS, as 5 or p99.9:8", text);
    at = end + 1;
  }
  limit.most_ms = std::strtod(at, &end);
  if (end == at || *end != '\0' || !(limit.most_ms > 0))
    fail(Fault::Usage, "--maxLatency has '{}'; write MS or pRANK:MS, as 5 or p99.9:8", text);
  return limit;
}

std::string name_of(double rank) {
  return rank == kMedian ? "median latency" : format("percentile {:g} of the latency", rank);
}

Gate latency_gate(const std::vector<float>& samples, const LatencyLimit& limit, bool is_exact) {
  measure::Interval interval = measure::quantile_interval(samples, limit.rank / 100);
  if (is_exact) interval.low = interval.high = interval.estimate;
  Gate gate{"latency.max", Outcome::Passed, "", {}};
  gate.sentence =
      format("{}: {} ms", name_of(limit.rank), number(static_cast<float>(interval.estimate)));
  if (interval.low != interval.high)
    gate.sentence += format(" [{}, {}]", number(static_cast<float>(interval.low)),
                            number(static_cast<float>(interval.high)));
  gate.sentence += format(", --maxLatency allows {:g} ms", limit.most_ms);
  if (interval.low > limit.most_ms)
    gate.outcome = Outcome::Failed;
  else if (interval.high > limit.most_ms)
    gate.outcome = Outcome::Inconclusive;
  return gate;
}

/// The steps that take most of the time, when the gate did not pass.
void name_culprits(Gate& gate, const bench::Profile& profile) {
  constexpr size_t kMostCulprits = 5;
  if (gate.outcome == Outcome::Passed) return;
  std::vector<const bench::LayerTime*> steps;
  for (const bench::LayerTime& step : profile.layers)
    if (step.median_ms > 0) steps.push_back(&step);
  std::stable_sort(steps.begin(), steps.end(),
                   [](const auto* a, const auto* b) { return a->median_ms > b->median_ms; });
  if (steps.size() > kMostCulprits) steps.resize(kMostCulprits);
  for (const bench::LayerTime* step : steps)
    gate.culprits.push_back(format("{} ({}): {} ms", step->name, ir::text(step->processor),
                                   number(static_cast<float>(step->median_ms))));
}

Gate size_gate(const char* id, const std::string& what, int64_t bytes, int64_t most,
               const char* flag) {
  return {id,
          bytes <= most ? Outcome::Passed : Outcome::Failed,
          format("{}: {} bytes, {} allows {}", what, bytes, flag, most),
          {}};
}

/// What a plan's loadables take of the DLA's memory pools, and this process of the host's.
struct Pool {
  std::string_view name;
  int64_t bytes;
};
std::vector<Pool> pools_of(const plan::Plan& plan) {
  dla::Pools sum;
  for (const plan::Loadable& section : plan.loadables) {
    const dla::Pools pools = dla::deserialize(section.bytes, section.owner).pools;
    sum.sram = std::max(sum.sram, pools.sram);
    sum.local += pools.local;
    sum.global += pools.global;
  }
  return {{"dlaSRAM", sum.sram},
          {"dlaLocalDRAM", sum.local},
          {"dlaGlobalDRAM", sum.global},
          {"host", report::peak_memory_bytes()}};
}

Gate memory_gate(const std::vector<Pool>& pools, const Pair& limit) {
  const auto pool = std::find_if(pools.begin(), pools.end(),
                                 [&](const Pool& row) { return row.name == limit.name; });
  if (pool == pools.end())
    fail(Fault::Usage, "--maxMemory has pool '{}'; known pools are {}", limit.name,
         join(pools, ", ", [](const Pool& row) { return std::string(row.name); }));
  return size_gate("memory.max", limit.name, pool->bytes, parse_size(limit.value, "--maxMemory"),
                   "--maxMemory");
}

}  // namespace

Gates size_gates(const Settings& settings, const plan::Plan& plan, int64_t plan_bytes) {
  Gates gates;
  if (settings.given(Flag::maxPlanSize))
    gates.push_back(size_gate("plan.max-size", "size of the plan", plan_bytes,
                              parse_size(settings.text(Flag::maxPlanSize), "--maxPlanSize"),
                              "--maxPlanSize"));
  if (!settings.given(Flag::maxMemory)) return gates;
  const std::vector<Pool> pools = pools_of(plan);
  for (const Pair& limit : split_pairs(settings.text(Flag::maxMemory)))
    gates.push_back(memory_gate(pools, limit));
  return gates;
}

Gates time_gates(const Settings& settings, const bench::Result& result,
                 const std::vector<run::Step>& steps) {
  Gates gates;
  if (!settings.given(Flag::maxLatency)) return gates;
  const bool is_exact = std::all_of(steps.begin(), steps.end(), [](const run::Step& step) {
    return step.kind == run::Kind::Modelled;
  });
  const std::vector<float> samples = bench::series(result, &bench::Query::latency_ms);
  for (const std::string& text : split_list(settings.text(Flag::maxLatency))) {
    gates.push_back(latency_gate(samples, parse_latency_limit(text), is_exact));
    name_culprits(gates.back(), bench::profile(result, steps));
  }
  return gates;
}

}  // namespace dlaexec::cli
