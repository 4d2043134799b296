// All that a plan needs for one GPU, from its graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gpu/code.h"
#include "gpu/library_kind.h"
#include "ir/graph.h"
#include "tune/repetitions.h"

namespace dlaexec::tune {

struct CompileOptions {
  /// Device whose measurements choose; no value: the first that is there.
  int device = 0;
  /// Build for this architecture instead of a device that is there: the cost model chooses.
  std::string architecture;
  /// 0 to 5: 0 and 1 measure nothing, 5 every tactic that fits.
  int optimization_level = 3;
  /// Scratch memory that one tactic may take; tactics that need more are left out.
  int64_t workspace_bytes = INT64_MAX;
  Repetitions repetitions;
  /// Products of floats are no products of tf32.
  bool full_floats = false;
  /// Whose tactics are measured beside those of this project.
  std::vector<gpu::LibraryKind> libraries;
  /// Timing cache to read and extend; empty: none.
  std::string timing_cache;
  bool error_on_timing_cache_miss = false;
};

/// Tactics and machine code for the steps of @p graph that a GPU can run. Nothing when there is no
/// device (and no architecture was asked for), no compiler, or no such step; the log says which, a
/// machine without CUDA being none of its business.
std::optional<gpu::Code> compile(const ir::Graph& graph, const CompileOptions& options);

}  // namespace dlaexec::tune
