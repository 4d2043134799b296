// The candidates of one problem in the order of their times.
#pragma once

#include <string>
#include <vector>

#include "gpu/lowered.h"
#include "tune/kernel_supply.h"
#include "tune/problem_bench.h"

namespace dlaexec::tune {

/// A tactic and the launches that it stands for.
struct Candidate {
  std::string tactic;
  gpu::Lowered lowered;
  double surcharge = 0;  ///< what it costs beyond its time, in microseconds
};

/// A candidate that was measured.
struct Ranked {
  std::string tactic;
  double microseconds = 0;
  double cost = 0;  ///< the time with the surcharge, by which it is ranked
};

/// Measures all of @p candidates, of which there is at least one, at a glance, and the best again
/// in turns, so that what changes with time changes for all of them. Returns those, best first.
std::vector<Ranked> rank(std::vector<Candidate> candidates, KernelSupply& kernels,
                         const gpu::Context& context, const Repetitions& repetitions,
                         WeightsLie weights);

}  // namespace dlaexec::tune
