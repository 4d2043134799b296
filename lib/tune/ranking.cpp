#include "tune/ranking.h"

#include <algorithm>
#include <map>

#include "base/log.h"

namespace dlaexec::tune {
namespace {

struct Finalist {
  Ranked ranked;
  double surcharge = 0;
  ProblemBench* bench = nullptr;
  ProblemBench::Chain chain;
  std::vector<double> times;
};

bool costs_less(const Finalist& a, const Finalist& b) { return a.ranked.cost < b.ranked.cost; }

/// Lets @p finalist in at its place; those that are no match for the best go.
void admit(std::vector<Finalist>& finalists, Finalist finalist) {
  constexpr size_t kMost = 6;
  constexpr double kNoMatch = 1.3;
  finalists.insert(std::upper_bound(finalists.begin(), finalists.end(), finalist, costs_less),
                   std::move(finalist));
  while (finalists.size() > kMost ||
         finalists.back().ranked.cost > kNoMatch * finalists.front().ranked.cost)
    finalists.pop_back();
}

void measure_in_turns(std::vector<Finalist>& finalists) {
  const int runs = finalists.front().bench->runs();
  for (int run = 0; run < runs; ++run)
    for (Finalist& finalist : finalists)
      finalist.times.push_back(finalist.bench->time(finalist.chain).count());
  for (Finalist& finalist : finalists) {
    const auto middle = finalist.times.begin() + std::ssize(finalist.times) / 2;
    std::nth_element(finalist.times.begin(), middle, finalist.times.end());
    finalist.ranked.microseconds = *middle;
    finalist.ranked.cost = *middle + finalist.surcharge;
  }
  std::stable_sort(finalists.begin(), finalists.end(), costs_less);
}

}  // namespace

std::vector<Ranked> rank(std::vector<Candidate> candidates, KernelSupply& kernels,
                         const gpu::Context& context, const Repetitions& repetitions,
                         WeightsLie weights) {
  // A library wants constants in another form: its candidates have their own.
  std::map<int64_t, ProblemBench> benches;  // by bytes of constants
  std::vector<Finalist> finalists;
  for (Candidate& candidate : candidates) {
    const std::vector<gpu::Cubin> code = kernels.code_of(candidate.lowered);
    ProblemBench& bench = benches
                              .try_emplace(candidate.lowered.constant_bytes, candidate.lowered,
                                           code, context, repetitions, weights)
                              .first->second;
    Finalist finalist{{candidate.tactic},
                      candidate.surcharge,
                      &bench,
                      bench.prepare(std::move(candidate.lowered), code),
                      {}};
    finalist.ranked.microseconds = bench.glance(finalist.chain).count();
    finalist.ranked.cost = finalist.ranked.microseconds + candidate.surcharge;
    log::verbose("  {} {:.2f} us", candidate.tactic, finalist.ranked.microseconds);
    admit(finalists, std::move(finalist));
  }
  measure_in_turns(finalists);
  std::vector<Ranked> ranked;
  for (Finalist& finalist : finalists) ranked.push_back(std::move(finalist.ranked));
  return ranked;
}

}  // namespace dlaexec::tune
