// What a pass is, and the runner that every list of passes goes through.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::passes {

/// Rewrites a graph into one that means the same.
struct Pass {
  std::string_view name;      ///< "fold-constants"
  bool (*run)(ir::Graph&);    ///< true if it changed something
  std::string_view why_here;  ///< what it needs from the passes before, or does for those after
};

/// What one pass did.
struct Record {
  std::string_view pass;
  bool changed = false;
  std::chrono::nanoseconds took{0};
};

/// Sees the graph after a pass that changed it; the stage is the pass's name.
using Observer = std::function<void(std::string_view stage, const ir::Graph&)>;

/// Runs @p passes in order. After each that changed something the graph is verified (a flaw is a
/// bug of ours and aborts) and shown to @p observer; what each did and took goes to the verbose
/// log.
std::vector<Record> run(std::span<const Pass> passes, ir::Graph& graph,
                        const Observer& observer = {});

}  // namespace dlaexec::passes
