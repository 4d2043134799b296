#include "tune/network_bench.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/log.h"
#include "tune/random_inputs.h"

namespace dlaexec::tune {
namespace {

bool launch_the_same(const gpu::Lowered& a, const gpu::Lowered& b) {
  return std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(),
                    [](const gpu::Step& x, const gpu::Step& y) {
                      return x.kernel == y.kernel && x.tactic == y.tactic && x.problem == y.problem;
                    });
}

/// Inputs and outputs of @p lowered and nothing else.
gpu::Lowered edges_of(const gpu::Lowered& lowered) {
  gpu::Lowered edges;
  edges.target = lowered.target;
  edges.inputs = lowered.inputs;
  edges.outputs = lowered.outputs;
  return edges;
}

}  // namespace

Ratio ratio_of(std::span<const double> kept, std::span<const double> tried) {
  DLAEXEC_CHECK(!kept.empty() && kept.size() == tried.size());
  std::vector<double> quotients;
  for (size_t i = 0; i < kept.size(); ++i) quotients.push_back(tried[i] / kept[i]);
  std::sort(quotients.begin(), quotients.end());
  const auto quarter = static_cast<std::ptrdiff_t>(quotients.size() / 4);
  const auto first = quotients.begin() + quarter, last = quotients.end() - quarter;
  constexpr double kHalfInDeviations = 1.35;  // the middle half of a normal distribution
  const double deviation = (*(last - 1) - *first) / kHalfInDeviations;
  return {std::accumulate(first, last, 0.0) / static_cast<double>(last - first),
          deviation / std::sqrt(static_cast<double>(quotients.size()))};
}

NetworkBench::NetworkBench(std::span<const ir::Graph> parts, const gpu::Context& context,
                           KernelSupply& kernels, const gpu::LowerOptions& options,
                           double least_gain)
    : parts_(parts),
      context_(context),
      kernels_(kernels),
      options_(options),
      least_gain_(least_gain) {
  for (const gpu::Lowered& lowered : lower({})) add_edges(lowered);
}

void NetworkBench::add_edges(const gpu::Lowered& lowered) {
  edges_.programs.push_back(
      std::make_unique<gpu::Program>(edges_of(lowered), std::span<const gpu::Cubin>(), context_));
  edges_.executions.push_back(std::make_unique<gpu::Execution>(*edges_.programs.back()));
  fill_inputs(*edges_.executions.back(), lowered);
}

std::vector<gpu::Lowered> NetworkBench::lower(const Choices& choices) const {
  gpu::LowerOptions options = options_;
  options.choose = [&](const std::string& problem, const std::vector<std::string>&) {
    const auto known = choices.find(problem);
    return known == choices.end() ? std::string() : known->second;
  };
  std::vector<gpu::Lowered> lowered;
  for (const ir::Graph& part : parts_)
    lowered.push_back(gpu::lower(part, context_.target(), options));
  return lowered;
}

std::unique_ptr<NetworkBench::Network> NetworkBench::prepare(const Choices& choices,
                                                             std::vector<gpu::Lowered> lowered) {
  auto network = std::make_unique<Network>();
  network->choices = choices;
  const Network& sibling = kept_ ? *kept_ : edges_;
  for (size_t i = 0; i < lowered.size(); ++i) {
    const std::vector<gpu::Cubin> code = kernels_.code_of(lowered[i]);
    network->programs.push_back(std::make_unique<gpu::Program>(
        std::move(lowered[i]), code, context_, sibling.programs[i].get()));
    network->executions.push_back(std::make_unique<gpu::Execution>(
        *network->programs.back(), gpu::Execution::Shared{edges_.executions[i].get()}));
  }
  const gpu::Stream& stream = edges_.executions[0]->stream();
  network->graph = std::make_unique<gpu::CapturedGraph>(stream, [&] {
    for (const auto& execution : network->executions) execution->enqueue(stream);
  });
  return network;
}

void NetworkBench::keep(const Choices& choices) {
  if (kept_ && kept_->choices == choices) return;
  if (tried_ && tried_->choices == choices)
    kept_ = std::move(tried_);
  else
    kept_ = prepare(choices, lower(choices));
}

std::optional<double> NetworkBench::compare(const Choices& kept, const Choices& tried) {
  keep(kept);
  std::vector<gpu::Lowered> lowered = lower(tried);
  bool same = true;
  for (size_t i = 0; i < lowered.size(); ++i)
    same = same && launch_the_same(lowered[i], kept_->programs[i]->lowered());
  if (same) return std::nullopt;
  tried_.reset();  // its memory goes to the next one
  try {
    tried_ = prepare(tried, std::move(lowered));
  } catch (const Error& error) {
    log::verbose("a choice of tactics cannot be tried in the whole network: {}", error.sentence());
    return std::nullopt;
  }
  return measure_ratio();
}

double NetworkBench::measure_ratio() {
  constexpr double kAtOnce = 8e3, kInAll = 60e3;  // microseconds
  constexpr size_t kLeast = 8;                    // pairs that tell anything
  run_in_turns(1);                                // warms up
  const double once = kept_times_.back() + tried_times_.back();
  const int at_once = static_cast<int>(std::clamp(kAtOnce / once, 2.0, 20.0));
  const size_t in_all = static_cast<size_t>(std::clamp(kInAll / once, 12.0, 150.0));
  kept_times_.clear();
  tried_times_.clear();
  Ratio ratio;
  do {
    run_in_turns(at_once);
    ratio = ratio_of(kept_times_, tried_times_);
    const bool no_gain = ratio.value - 2 * ratio.doubt > 1 - least_gain_;
    if (no_gain && kept_times_.size() >= kLeast) break;
  } while (kept_times_.size() < in_all);
  return ratio.value;
}

/// Runs both networks @p pairs times, one after the other, and notes their times.
void NetworkBench::run_in_turns(int pairs) {
  const gpu::Stream& stream = edges_.executions[0]->stream();
  std::vector<gpu::Event> events(static_cast<size_t>(2 * pairs + 1));
  tried_->graph->launch(stream);  // what the first one finds in the cache is what all others find
  stream.record(events[0]);
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    (i % 2 == 0 ? kept_ : tried_)->graph->launch(stream);
    stream.record(events[i + 1]);
  }
  stream.synchronize();
  for (size_t i = 0; i + 1 < events.size(); ++i)
    (i % 2 == 0 ? kept_times_ : tried_times_)
        .push_back(static_cast<double>(gpu::elapsed(events[i], events[i + 1]).count()) * 1e3);
}

double NetworkBench::microseconds(const Choices& choices) {
  constexpr int kRuns = 25;
  keep(choices);
  const gpu::Stream& stream = edges_.executions[0]->stream();
  std::vector<double> times;
  const gpu::Event start, end;
  for (int i = 0; i < kRuns; ++i) {
    stream.record(start);
    kept_->graph->launch(stream);
    stream.record(end);
    stream.synchronize();
    times.push_back(static_cast<double>(gpu::elapsed(start, end).count()) * 1e3);
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

}  // namespace dlaexec::tune
