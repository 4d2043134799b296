// The problems that a network poses, and the candidates for each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gpu/lowering.h"
#include "ir/graph.h"
#include "tune/ranking.h"
#include "tune/timing_cache.h"
#include "tune/tune_options.h"

namespace dlaexec::tune {

/// One problem with the candidates that may solve it, and nodes that pose it.
struct Problem {
  const ir::Graph* part = nullptr;
  std::string text;
  std::vector<std::string> tactics;
  std::vector<int> nodes;
};

/// True for a problem of several nodes that each may run by itself.
bool runs_apart(const std::vector<std::string>& tactics);

/// What lowering is to keep to besides tactics.
gpu::LowerOptions lowering_of(const TuneOptions& options);

/// @p parts with every group run apart, so that they pose the problems of each of its nodes, too.
std::vector<gpu::Lowered> lower_apart(std::span<const ir::Graph> parts, const gpu::Target& target,
                                      const TuneOptions& options);

/// The problems of @p parts, of which @p apart is what lower_apart() made, that @p cache does not
/// know, each once; those of single launches first, then those that may be run as several of them.
std::vector<Problem> unknown_problems(std::span<const ir::Graph> parts,
                                      std::span<const gpu::Lowered> apart,
                                      const std::string& device, const TimingCache& cache,
                                      const TuneOptions& options);

/// The candidates for @p problem between buffers in the kernels' own layouts; other problems in it
/// are solved as @p cache knows.
std::vector<Candidate> candidates_of(const Problem& problem, const gpu::Target& target,
                                     const std::string& device, const TimingCache& cache,
                                     const TuneOptions& options);

}  // namespace dlaexec::tune
