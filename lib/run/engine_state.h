// What an engine shares with its contexts.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/thread_pool.h"
#include "run/core_use.h"
#include "run/dla_part.h"
#include "run/engine.h"
#include "run/gpu_part.h"
#include "run/host_part.h"

namespace dlaexec::run {

using Part =
    std::variant<std::unique_ptr<HostPart>, std::unique_ptr<GpuPart>, std::unique_ptr<DlaPart>>;

/// A duration that the model gives, and how far off it is on average.
struct Modelled {
  Nanoseconds duration{0};
  std::optional<double> error;
};

struct Engine::State {
  State(plan::Plan built, const EngineOptions& chosen)
      : plan(std::move(built)), options(chosen), threads(chosen.threads) {}

  /// Where inputs and outputs of GPU steps lie.
  gpu::Execution::Edges edges() const {
    return options.managed_memory ? gpu::Execution::Edges::Managed : gpu::Execution::Edges::Device;
  }
  /// Fills loadables, board, kind and modelled.
  void model();
  /// The modelled times on a board; all of them when the engine predicts.
  std::vector<std::optional<Modelled>> times_on(const Board& chosen) const;

  plan::Plan plan;
  EngineOptions options;
  mutable ThreadPool threads;
  std::optional<Gpu> gpu;  ///< before the parts, which live on it
  std::vector<Binding> inputs, outputs;
  std::vector<Step> steps;                        ///< one per node of the plan's graph
  std::vector<std::vector<int>> needed;           ///< by each step
  std::vector<std::optional<Modelled>> modelled;  ///< of steps that are not measured
  std::vector<Part> parts;                        ///< in the order in which they run
  TimelineKind kind = TimelineKind::Wall;
  std::unique_ptr<CoreUse> core_use;  ///< null without loadables
  std::optional<Board> board;
  std::vector<const dla::Loadable*> loadables;  ///< of each step; null where it has none
};

}  // namespace dlaexec::run
