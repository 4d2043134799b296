// A graph part compiled for the host: steps in order, weights packed, memory planned.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cpu/isa.h"
#include "ir/graph.h"

namespace dlaexec::cpu {

/// One step of a program: a node, or a change of layout that lies between two of them.
struct StepInfo {
  std::string name;                  ///< the node's
  std::vector<std::string> origins;  ///< the network layers it carries; none for a layout change
  std::string kernel;                ///< "conv.direct", "reorder", "ref.topk", ...
};

/// How a program is compiled.
struct ProgramOptions {
  Isa isa = best_isa();
};

/// Runs a typed graph without foreign nodes, compiled once for its shapes. One run at a time; a
/// copy shares the packed weights and has a memory of its own, so copies may run side by side.
class Program {
 public:
  /// Compiles @p graph, whose shapes are static but for what depends on data. Its constants are
  /// released as they are packed. @p pool must outlive the program and its copies.
  Program(ir::Graph graph, ThreadPool& pool, const ProgramOptions& options = {});
  ~Program();
  Program(const Program& other);
  Program(Program&&) noexcept;
  Program& operator=(Program other) noexcept;

  /// The graph's outputs for its inputs, in its order. Inputs must have the graph's types and
  /// dimensions. With @p step_times, one per step, the wall time of each step is written there.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs,
                              std::span<std::chrono::nanoseconds> step_times = {});

  const std::vector<StepInfo>& steps() const;
  /// Bytes of the arena that intermediate values share.
  int64_t arena_bytes() const;

 private:
  struct Compiled;
  struct Memory;
  std::shared_ptr<const Compiled> compiled_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace dlaexec::cpu
