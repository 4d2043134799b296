#include "passes/pass.h"

#include "base/log.h"
#include "ir/verify.h"

namespace dlaexec::passes {

std::vector<Record> run(std::span<const Pass> passes, ir::Graph& graph, const Observer& observer) {
  using Clock = std::chrono::steady_clock;
  std::vector<Record> records;
  for (const Pass& pass : passes) {
    const size_t before = graph.nodes.size();
    const Clock::time_point start = Clock::now();
    const bool changed = pass.run(graph);
    records.push_back({pass.name, changed, Clock::now() - start});
    if (!changed) {
      log::verbose("Pass {}: unchanged", pass.name);
      continue;
    }
    log::verbose("Pass {}: {} -> {} layers in {:.3f} ms", pass.name, before, graph.nodes.size(),
                 std::chrono::duration<double, std::milli>(records.back().took).count());
    ir::verify(graph);
    if (observer) observer(pass.name, graph);
  }
  return records;
}

}  // namespace dlaexec::passes
