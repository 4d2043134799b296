// Compares two choices of tactics by the time of the whole network that runs with them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gpu/program.h"
#include "ir/graph.h"
#include "tune/exchange.h"
#include "tune/kernel_supply.h"

namespace dlaexec::tune {

/// How one time relates to another, and how far off that may be (one standard deviation).
struct Ratio {
  double value = 1, doubt = 0;
};

/// How @p tried relates to @p kept when both were run in turns, each time one after the other: the
/// mean of the quotients' middle half.
Ratio ratio_of(std::span<const double> kept, std::span<const double> tried);

/// The device parts of a network as CUDA graphs of all their launches, as engines run them.
class NetworkBench {
 public:
  /// @p options: what lowering is to keep to besides tactics. @p least_gain: what gains less is
  /// measured no longer than it takes to see that. All must outlive this.
  NetworkBench(std::span<const ir::Graph> parts, const gpu::Context& context, KernelSupply& kernels,
               const gpu::LowerOptions& options, double least_gain);

  /// As Compare says. Throws an Error when the network cannot run with @p kept.
  std::optional<double> compare(const Choices& kept, const Choices& tried);

  /// One run's time with @p choices, in microseconds.
  double microseconds(const Choices& choices);

 private:
  /// The whole network, ready to be replayed.
  struct Network {
    Choices choices;
    std::vector<std::unique_ptr<gpu::Program>> programs;  // by part
    std::vector<std::unique_ptr<gpu::Execution>> executions;
    std::unique_ptr<gpu::CapturedGraph> graph;
  };

  std::vector<gpu::Lowered> lower(const Choices& choices) const;
  std::unique_ptr<Network> prepare(const Choices& choices, std::vector<gpu::Lowered> lowered);
  void add_edges(const gpu::Lowered& lowered);
  void keep(const Choices& choices);
  double measure_ratio();
  void run_in_turns(int pairs);

  std::span<const ir::Graph> parts_;
  const gpu::Context& context_;
  KernelSupply& kernels_;
  const gpu::LowerOptions& options_;
  double least_gain_;
  Network edges_;  // inputs and outputs, which all networks share; launches nothing
  std::unique_ptr<Network> kept_, tried_;
  std::vector<double> kept_times_, tried_times_;  // microseconds of runs in turns
};

}  // namespace dlaexec::tune
