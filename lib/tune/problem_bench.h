// Times the candidates of one problem, each as a chain of its own launches.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gpu/program.h"
#include "tune/repetitions.h"

namespace dlaexec::tune {

using Microseconds = std::chrono::duration<double, std::micro>;

/// Where a layer finds its weights when its turn in the network comes.
enum class WeightsLie : uint8_t {
  InMemory,  ///< the others' weights and activations push them out of the cache meanwhile
  InCache,   ///< all of the network's stay there from one run to the next
};

/// Shared by the candidates of a problem: inputs, outputs and weights.
class ProblemBench {
 public:
  /// @p first: any candidate whose constants are those of all others.
  ProblemBench(const gpu::Lowered& first, std::span<const gpu::Cubin> code,
               const gpu::Context& context, const Repetitions& repetitions, WeightsLie weights);

  /// A candidate ready to be timed.
  struct Chain {
    std::unique_ptr<gpu::Program> program;
    std::vector<std::unique_ptr<gpu::Execution>> rotation;  ///< one for each copy of the weights
    std::unique_ptr<gpu::CapturedGraph> graph;              ///< of all launches
  };
  Chain prepare(gpu::Lowered lowered, std::span<const gpu::Cubin> code);

  /// One launch's share of one run of @p chain.
  Microseconds time(const Chain& chain);
  /// The same as a glance tells: the least of a few runs.
  Microseconds glance(const Chain& chain);
  /// Runs that the median of a finalist is taken of.
  int runs() const { return repetitions_.averages.value_or(7); }

 private:
  std::unique_ptr<gpu::CapturedGraph> captured(const Chain& chain, size_t launches) const;

  const gpu::Context& context_;
  Repetitions repetitions_;
  gpu::Program weights_;
  gpu::Execution edges_;
  std::vector<gpu::Buffer> copies_;
  size_t launches_ = 0;  ///< of one chain; 0: not known yet
  gpu::Event start_, end_;
};

}  // namespace dlaexec::tune
