#include "tune/problems.h"

#include <algorithm>
#include <set>

#include "gpu/groups.h"
#include "tune/decisions.h"

namespace dlaexec::tune {
namespace {

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

/// The launches of @p problem alone with @p tactic, and what @p cache knows of other problems in
/// it, up to the last one that solves any, between buffers in the kernels' own layouts.
gpu::Lowered lower_alone(const Problem& problem, const gpu::Target& target,
                         const std::string& device, const std::string& tactic,
                         const TimingCache& cache, const TuneOptions& options) {
  const ir::Graph alone = ir::extract(*problem.part, problem.nodes, "candidate");
  gpu::LowerOptions lowering = options_from(cache, device, "");
  lowering.internal_edges = true;
  lowering.full_floats = options.full_floats;
  lowering.choose = [&, known = lowering.choose](const std::string& text,
                                                 const std::vector<std::string>& tactics) {
    return text == problem.text ? tactic : known(text, tactics);
  };
  gpu::Lowered lowered = gpu::lower(alone, target, lowering);
  while (!lowered.steps.empty() && lowered.steps.back().problem.empty())
    lowered.steps.pop_back();  // results that others read in place are edges here, and copied
  return lowered;
}

/// What one launch must gain over several, in microseconds, so that the measurement's scatter does
/// not decide.
constexpr double kDoubt = 0.2;

/// What a library's launch loses, in microseconds, among kernels of this project where those
/// overlap: the next one cannot prepare while it runs, nor it while the one before does. Timed
/// after itself it shows one of the two.
constexpr double kStranger = 1.5;

bool has_stranger(const gpu::Lowered& lowered) {
  return std::any_of(lowered.steps.begin(), lowered.steps.end(),
                     [](const gpu::Step& step) { return step.library.has_value(); });
}

/// What @p tactic, which stands for @p lowered, costs beyond the time that is measured, in
/// microseconds.
double surcharge(const Problem& problem, const std::string& tactic, const gpu::Lowered& lowered) {
  const bool doubted = runs_apart(problem.tactics) && tactic != gpu::kApart;
  const bool strange = lowered.target.is_hopper() && has_stranger(lowered);
  return (doubted ? kDoubt : 0) + (strange ? kStranger : 0);
}

}  // namespace

bool runs_apart(const std::vector<std::string>& tactics) {
  return std::find(tactics.begin(), tactics.end(), gpu::kApart) != tactics.end();
}

gpu::LowerOptions lowering_of(const TuneOptions& options) {
  gpu::LowerOptions lowering;
  lowering.workspace_bytes = options.workspace_bytes;
  lowering.full_floats = options.full_floats;
  return lowering;
}

std::vector<gpu::Lowered> lower_apart(std::span<const ir::Graph> parts, const gpu::Target& target,
                                      const TuneOptions& options) {
  gpu::LowerOptions lowering = lowering_of(options);
  lowering.libraries = options.libraries;
  lowering.choose = [](const std::string&, const std::vector<std::string>& tactics) {
    return runs_apart(tactics) ? std::string(gpu::kApart) : std::string();
  };
  std::vector<gpu::Lowered> apart;
  for (const ir::Graph& part : parts) apart.push_back(gpu::lower(part, target, lowering));
  return apart;
}

std::vector<Problem> unknown_problems(std::span<const ir::Graph> parts,
                                      std::span<const gpu::Lowered> apart,
                                      const std::string& device, const TimingCache& cache,
                                      const TuneOptions& options) {
  std::vector<Problem> problems;
  std::set<std::string> seen;
  for (size_t i = 0; i < parts.size(); ++i)
    for (const gpu::Choice& choice : apart[i].choices) {
      if (choice.tactics.size() == 1 || !seen.insert(choice.problem).second) continue;
      if (cache.find(device, choice.problem)) continue;
      const bool several = runs_apart(choice.tactics);
      const size_t most = several ? (options.candidates + 1) / 2 : options.candidates;
      problems.push_back({&parts[i], choice.problem, favourites(choice.tactics, most),
                          several ? with_reader(parts[i], choice.nodes) : choice.nodes});
    }
  std::stable_partition(problems.begin(), problems.end(),
                        [](const Problem& problem) { return !runs_apart(problem.tactics); });
  return problems;
}

std::vector<Candidate> candidates_of(const Problem& problem, const gpu::Target& target,
                                     const std::string& device, const TimingCache& cache,
                                     const TuneOptions& options) {
  std::vector<Candidate> candidates;
  for (const std::string& tactic : problem.tactics) {
    gpu::Lowered lowered = lower_alone(problem, target, device, tactic, cache, options);
    const double more = surcharge(problem, tactic, lowered);
    candidates.push_back({tactic, std::move(lowered), more});
  }
  return candidates;
}

}  // namespace dlaexec::tune
