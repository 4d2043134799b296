#include "tune/tuner.h"

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "gpu/program.h"
#include "tune/decisions.h"
#include "tune/network_tuner.h"
#include "tune/problems.h"

namespace dlaexec::tune {
namespace {

/// All kernels that measuring may need, those that are needed first in front.
std::vector<gpu::Kernel> kernels_for(const std::vector<Problem>& problems,
                                     const std::vector<gpu::Lowered>& apart,
                                     const gpu::Target& target, const std::string& device,
                                     const TimingCache& cache, const TuneOptions& options) {
  std::vector<gpu::Kernel> kernels;
  const auto add = [&](const gpu::Lowered& lowered) {
    for (gpu::Kernel& kernel : gpu::kernels_of(lowered)) kernels.push_back(std::move(kernel));
  };
  for (const Problem& problem : problems)
    for (const Candidate& candidate : candidates_of(problem, target, device, cache, options))
      add(candidate.lowered);
  for (const gpu::Lowered& lowered : apart) add(lowered);
  return kernels;
}

/// Where weights come from when the whole network runs again and again.
WeightsLie weights_lie(const std::vector<gpu::Lowered>& apart, const gpu::Target& target) {
  int64_t bytes = 0;
  for (const gpu::Lowered& lowered : apart) bytes += lowered.constant_bytes + lowered.arena_bytes;
  return bytes < target.l2_bytes * 6 / 10 ? WeightsLie::InCache : WeightsLie::InMemory;
}

}  // namespace

size_t tune(std::span<const ir::Graph> parts, const gpu::Context& context,
            const gpu::Compiler& compiler, ThreadPool& pool, TimingCache& cache,
            const TuneOptions& options) {
  const gpu::Target& target = context.target();
  const std::string device = device_key(target, options.libraries);
  const std::vector<gpu::Lowered> apart = lower_apart(parts, target, options);
  const std::vector<Problem> problems = unknown_problems(parts, apart, device, cache, options);
  if (problems.empty()) return 0;
  if (options.error_on_miss)
    fail(
        "the timing cache does not know '{}' on {}, and {} more; build once without "
        "--errorOnTimingCacheMiss",
        problems.front().text, device, problems.size() - 1);
  const progress::Scope tuning("tuning", std::ssize(problems));
  KernelSupply kernels(compiler, pool,
                       kernels_for(problems, apart, target, device, cache, options));
  Rankings rankings;
  for (const Problem& problem : problems) {
    log::verbose("{}:", problem.text);
    std::vector<Ranked>& ranked = rankings[problem.text];
    ranked = rank(candidates_of(problem, target, device, cache, options), kernels, context,
                  options.repetitions, weights_lie(apart, target));
    cache.set(device, problem.text, {ranked[0].tactic, ranked[0].microseconds});
    progress::advance();
  }
  if (options.network_time > options.network_time.zero())
    tune_network(parts, apart, rankings, context, kernels, cache, options);
  return problems.size();
}

}  // namespace dlaexec::tune
