#include "tune/problem_bench.h"

#include <algorithm>

#include "tune/random_inputs.h"

namespace dlaexec::tune {
namespace {

/// As many copies of @p bytes of weights as push each other out of the cache.
size_t copies_of(int64_t bytes, int64_t l2_bytes, WeightsLie weights) {
  constexpr int64_t kNegligible = 64 << 10, kMost = 8;
  if (weights == WeightsLie::InCache || bytes < kNegligible) return 1;
  return static_cast<size_t>(std::clamp<int64_t>(2 * l2_bytes / bytes + 1, 1, kMost));
}

}  // namespace

ProblemBench::ProblemBench(const gpu::Lowered& first, std::span<const gpu::Cubin> code,
                           const gpu::Context& context, const Repetitions& repetitions,
                           WeightsLie weights)
    : context_(context),
      repetitions_(repetitions),
      weights_(first, code, context),
      edges_(weights_) {
  fill_inputs(edges_, first);
  const int64_t bytes = std::max<int64_t>(first.constant_bytes, 1);
  for (size_t i = copies_of(bytes, context.target().l2_bytes, weights); i > 0; --i) {
    copies_.emplace_back(static_cast<size_t>(bytes));
    gpu::check(gpu::driver().copy_on_device(copies_.back().address(), weights_.constants(),
                                            static_cast<size_t>(first.constant_bytes),
                                            edges_.stream().handle()),
               "copying weights");
  }
  edges_.stream().synchronize();
}

ProblemBench::Chain ProblemBench::prepare(gpu::Lowered lowered, std::span<const gpu::Cubin> code) {
  Chain chain;
  chain.program = std::make_unique<gpu::Program>(std::move(lowered), code, context_, &weights_);
  for (const gpu::Buffer& copy : copies_) {
    const gpu::Execution* first = chain.rotation.empty() ? nullptr : chain.rotation[0].get();
    chain.rotation.push_back(std::make_unique<gpu::Execution>(
        *chain.program, gpu::Execution::Shared{&edges_, copy.address(), first}));
  }
  if (launches_ == 0) {  // as many for all candidates as the first one's length asks for
    constexpr Microseconds kWanted{300};
    launches_ = 8;
    chain.graph = captured(chain, launches_);
    const double wanted = std::clamp(kWanted / glance(chain), 2.0, 40.0);
    launches_ = static_cast<size_t>(repetitions_.launches.value_or(static_cast<int>(wanted)));
  }
  chain.graph = captured(chain, launches_);
  return chain;
}

std::unique_ptr<gpu::CapturedGraph> ProblemBench::captured(const Chain& chain,
                                                           size_t launches) const {
  const gpu::Stream& stream = edges_.stream();
  return std::make_unique<gpu::CapturedGraph>(stream, [&] {
    for (size_t i = 0; i < launches; ++i)
      chain.rotation[i % chain.rotation.size()]->enqueue(stream);
  });
}

Microseconds ProblemBench::time(const Chain& chain) {
  const gpu::Stream& stream = edges_.stream();
  stream.record(start_);
  chain.graph->launch(stream);
  stream.record(end_);
  stream.synchronize();
  return gpu::elapsed(start_, end_) / static_cast<double>(launches_);
}

Microseconds ProblemBench::glance(const Chain& chain) {
  constexpr int kRuns = 2;
  chain.graph->launch(edges_.stream());  // warms up
  Microseconds least = time(chain);
  for (int i = 1; i < kRuns; ++i) least = std::min(least, time(chain));
  return least;
}

}  // namespace dlaexec::tune
