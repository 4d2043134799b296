#include "tune/tuner.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>

#include "base/error.h"
#include "base/half.h"
#include "base/log.h"
#include "base/progress.h"
#include "gpu/groups.h"
#include "gpu/program.h"

namespace dlaexec::tune {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

/// One problem with the candidates that may solve it, and nodes that pose it.
struct Problem {
  std::string text;
  std::vector<std::string> tactics;
  std::vector<int> nodes;
};

bool runs_apart(const std::vector<std::string>& tactics) {
  return std::find(tactics.begin(), tactics.end(), gpu::kApart) != tactics.end();
}

/// @p nodes and the first that reads their last result: how well launches overlap with others shows
/// only in company.
std::vector<int> with_reader(const ir::Graph& part, std::vector<int> nodes) {
  const ir::ValueId made = part.nodes[static_cast<size_t>(nodes.back())].outputs[0];
  for (int i = nodes.back() + 1; i < std::ssize(part.nodes); ++i) {
    const std::vector<ir::ValueId>& inputs = part.nodes[static_cast<size_t>(i)].inputs;
    if (std::find(inputs.begin(), inputs.end(), made) == inputs.end()) continue;
    nodes.push_back(i);
    break;
  }
  return nodes;
}

/// The first @p most of @p tactics that are this project's own, and all of a library's.
std::vector<std::string> favourites(const std::vector<std::string>& tactics, size_t most) {
  std::vector<std::string> kept;
  size_t own = 0;
  for (const std::string& tactic : tactics)
    if (gpu::parse_library_tactic(tactic) || own++ < most) kept.push_back(tactic);
  return kept;
}

/// The problems of @p part that @p cache does not know, each once; those of single launches first,
/// then those that may be run as several of them.
std::vector<Problem> unknown_problems(const ir::Graph& part, const gpu::Target& target,
                                      const TimingCache& cache, const TuneOptions& limits) {
  const std::string device = device_key(target, limits.libraries);
  gpu::LowerOptions options;
  options.workspace_bytes = limits.workspace_bytes;
  options.full_floats = limits.full_floats;
  options.libraries = limits.libraries;
  // Run apart, nodes pose the problems of each, too.
  options.choose = [](const std::string&, const std::vector<std::string>& tactics) {
    return runs_apart(tactics) ? std::string(gpu::kApart) : std::string();
  };
  std::vector<Problem> problems;
  std::set<std::string> seen;
  for (gpu::Choice& choice : gpu::lower(part, target, options).choices) {
    if (choice.tactics.size() == 1 || !seen.insert(choice.problem).second) continue;
    if (cache.find(device, choice.problem)) continue;
    if (runs_apart(choice.tactics)) choice.nodes = with_reader(part, std::move(choice.nodes));
    problems.push_back(
        {choice.problem, favourites(choice.tactics, limits.candidates), std::move(choice.nodes)});
  }
  std::stable_partition(problems.begin(), problems.end(),
                        [](const Problem& problem) { return !runs_apart(problem.tactics); });
  return problems;
}

/// The launches of @p problem alone with @p tactic, and what @p cache knows of other problems in
/// it, up to the last one that solves any, between buffers in the kernels' own layouts.
gpu::Lowered lower_alone(const ir::Graph& part, const Problem& problem, const gpu::Target& target,
                         const std::string& tactic, const TimingCache& cache,
                         const TuneOptions& limits) {
  const ir::Graph alone = ir::extract(part, problem.nodes, "candidate");
  gpu::LowerOptions options = options_from(cache, device_key(target, limits.libraries));
  options.internal_edges = true;
  options.full_floats = limits.full_floats;
  options.choose = [&, known = options.choose](const std::string& text,
                                               const std::vector<std::string>& tactics) {
    return text == problem.text ? tactic : known(text, tactics);
  };
  gpu::Lowered lowered = gpu::lower(alone, target, options);
  while (!lowered.steps.empty() && lowered.steps.back().problem.empty())
    lowered.steps.pop_back();  // results that others read in place are edges here, and copied
  return lowered;
}

/// Random elements for an input: small floats, any int8.
std::vector<std::byte> random_bytes(const gpu::Edge& edge) {
  // A block is repeated: the kernels' time does not depend on more than the values' spread.
  std::mt19937 random(7);
  std::vector<std::byte> block(1 << 16);
  const size_t size = ir::size_bytes(edge.type);
  for (size_t at = 0; at + size <= block.size(); at += size) {
    const float value = static_cast<float>(random() % 2001) / 1000.f - 1.f;
    const Half half(value);
    const int8_t integer = static_cast<int8_t>(random());
    const void* from = size == 4   ? static_cast<const void*>(&value)
                       : size == 2 ? static_cast<const void*>(&half)
                                   : static_cast<const void*>(&integer);
    std::memcpy(block.data() + at, from, size);
  }
  std::vector<std::byte> bytes(static_cast<size_t>(edge.bytes));
  for (size_t at = 0; at < bytes.size(); at += block.size())
    std::memcpy(bytes.data() + at, block.data(), std::min(block.size(), bytes.size() - at));
  return bytes;
}

/// Times candidates of one problem on shared buffers. Weights rotate through copies, since in a
/// network each layer's weights come from memory, not from the cache.
class Bench {
 public:
  Bench(const gpu::Lowered& lowered, std::span<const gpu::Cubin> code, const gpu::Context& context,
        const Repetitions& repetitions)
      : context_(context),
        repetitions_(repetitions),
        weights_(lowered, code, context),
        edges_(weights_) {
    for (size_t i = 0; i < lowered.inputs.size(); ++i) {
      const std::vector<std::byte> bytes = random_bytes(lowered.inputs[i]);
      edges_.upload(i, bytes);
      edges_.stream().synchronize();
    }
    const int64_t bytes = std::max<int64_t>(lowered.constant_bytes, 1);
    const int64_t wanted = bytes < 64 << 10 ? 1 : 2 * context.target().l2_bytes / bytes + 1;
    const size_t count = static_cast<size_t>(std::clamp<int64_t>(wanted, 1, 8));
    for (size_t i = 0; i < count; ++i) {
      copies_.emplace_back(static_cast<size_t>(bytes));
      gpu::check(gpu::driver().copy_on_device(copies_.back().address(), weights_.constants(),
                                              static_cast<size_t>(lowered.constant_bytes),
                                              edges_.stream().handle()),
                 "copying weights");
    }
    edges_.stream().synchronize();
  }

  /// The time of one launch of all of @p lowered; stops early once it is clear that it is no match
  /// for @p best.
  Microseconds time(gpu::Lowered lowered, std::span<const gpu::Cubin> code, Microseconds best) {
    const gpu::Program program(std::move(lowered), code, context_, &weights_);
    std::vector<std::unique_ptr<gpu::Execution>> rotation;
    for (const gpu::Buffer& copy : copies_)
      rotation.push_back(std::make_unique<gpu::Execution>(
          program, gpu::Execution::Shared{&edges_, copy.address()}));
    const Microseconds once = run(rotation, rotation.size(), 3);
    if (once > 2 * best) return once;
    const double wanted = std::clamp(400 / std::max(once.count(), 1.0), 2.0, 40.0);
    const int launches = repetitions_.launches.value_or(static_cast<int>(wanted));
    return run(rotation, static_cast<size_t>(launches), repetitions_.averages.value_or(6));
  }

 private:
  /// One launch's share of a captured run of @p launches, the best of @p replays.
  Microseconds run(const std::vector<std::unique_ptr<gpu::Execution>>& rotation, size_t launches,
                   int replays) {
    const gpu::Stream& stream = edges_.stream();
    const gpu::CapturedGraph graph(stream, [&] {
      for (size_t i = 0; i < launches; ++i) rotation[i % rotation.size()]->enqueue(stream);
    });
    graph.launch(stream);
    Microseconds best{1e30};
    for (int repeat = 0; repeat < replays; ++repeat) {
      stream.record(start_);
      graph.launch(stream);
      stream.record(end_);
      stream.synchronize();
      best = std::min<Microseconds>(best, gpu::elapsed(start_, end_));
    }
    return best / static_cast<double>(launches);
  }

  const gpu::Context& context_;
  const Repetitions& repetitions_;
  gpu::Program weights_;
  gpu::Execution edges_;
  std::vector<gpu::Buffer> copies_;
  gpu::Event start_, end_;
};

/// Every kernel of @p candidates, compiled on all threads.
std::vector<gpu::Cubin> compile_all(const std::vector<std::vector<gpu::Lowered>>& candidates,
                                    const gpu::Compiler& compiler, ThreadPool& pool) {
  std::set<gpu::Kernel> kernels;
  for (const auto& list : candidates)
    for (const gpu::Lowered& lowered : list)
      for (const gpu::Kernel& kernel : gpu::kernels_of(lowered)) kernels.insert(kernel);
  return compiler.compile(std::vector<gpu::Kernel>(kernels.begin(), kernels.end()), pool);
}

/// What a launch loses, in microseconds, when the next one's blocks find no room beside its own and
/// cannot prepare early. A launch timed after itself does not show it.
constexpr double kOverlap = 0.5;

/// What one launch must gain over several, in microseconds, so that the measurement's scatter does
/// not decide.
constexpr double kDoubt = 0.2;

bool leaves_no_room(const gpu::Lowered& lowered, const gpu::Target& target) {
  for (const gpu::Step& step : lowered.steps)
    if (step.launch.shared_bytes > target.shared_bytes / 2) return true;
  return false;
}

Decision fastest(const Problem& problem, std::vector<gpu::Lowered>& candidates,
                 std::span<const gpu::Cubin> code, const gpu::Context& context,
                 const Repetitions& repetitions) {
  std::optional<Bench> bench;
  int64_t constant_bytes = 0;
  const bool in_company = runs_apart(problem.tactics);
  Decision best{{}, 1e30};
  double best_cost = 1e30;
  for (size_t i = 0; i < candidates.size(); ++i) {
    // A library wants constants in another form: its candidates have their own.
    if (!bench || candidates[i].constant_bytes != constant_bytes)
      bench.emplace(candidates[i], code, context, repetitions);
    constant_bytes = candidates[i].constant_bytes;
    const bool alone = !in_company && leaves_no_room(candidates[i], context.target());
    const Microseconds time =
        bench->time(std::move(candidates[i]), code, Microseconds(best.microseconds));
    log::verbose("{}: {} {:.2f} us", problem.text, problem.tactics[i], time.count());
    const bool joins = in_company && problem.tactics[i] != gpu::kApart;
    const double cost = time.count() + (alone ? kOverlap : joins ? kDoubt : 0);
    if (cost < best_cost) {
      best_cost = cost;
      best = {problem.tactics[i], time.count()};
    }
  }
  return best;
}

}  // namespace

std::string device_key(const gpu::Target& target, const gpu::Libraries& libraries) {
  std::string key =
      format("{} {} {} MPs", target.name, target.architecture_name(), target.multiprocessors);
  for (const auto& library : libraries) key += " + " + library->name();
  return key;
}

size_t tune(const ir::Graph& part, const gpu::Context& context, const gpu::Compiler& compiler,
            ThreadPool& pool, TimingCache& cache, const TuneOptions& options) {
  const gpu::Target& target = context.target();
  const std::string device = device_key(target, options.libraries);
  const std::vector<Problem> problems = unknown_problems(part, target, cache, options);
  if (problems.empty()) return 0;
  if (options.error_on_miss)
    fail(
        "the timing cache does not know '{}' on {}, and {} more; build once without "
        "--errorOnTimingCacheMiss",
        problems.front().text, device, problems.size() - 1);
  const progress::Scope tuning("tuning", std::ssize(problems));
  const auto measure = [&](std::span<const Problem> some) {
    std::vector<std::vector<gpu::Lowered>> candidates;
    for (const Problem& problem : some) {
      candidates.emplace_back();
      for (const std::string& tactic : problem.tactics)
        candidates.back().push_back(lower_alone(part, problem, target, tactic, cache, options));
    }
    const std::vector<gpu::Cubin> code = compile_all(candidates, compiler, pool);
    for (size_t i = 0; i < some.size(); ++i) {
      cache.set(device, some[i].text,
                fastest(some[i], candidates[i], code, context, options.repetitions));
      progress::advance();
    }
  };
  const auto apart = std::find_if(problems.begin(), problems.end(), [](const Problem& problem) {
    return runs_apart(problem.tactics);
  });
  measure({problems.begin(), apart});
  measure({apart, problems.end()});
  return problems.size();
}

gpu::LowerOptions options_from(const TimingCache& cache, const std::string& device) {
  gpu::LowerOptions options;
  options.choose = [&cache, device](const std::string& problem, const std::vector<std::string>&) {
    const Decision* known = cache.find(device, problem);
    return known ? known->tactic : std::string();
  };
  return options;
}

}  // namespace dlaexec::tune
