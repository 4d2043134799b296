#include "run/compose.h"

#include <algorithm>
#include <array>

namespace dlaexec::run {

std::vector<std::vector<int>> dependencies(const ir::Graph& graph) {
  std::vector<std::vector<int>> needed(graph.nodes.size());
  const std::vector<int> made_by = ir::producers(graph);
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  for (size_t value = 0; value < used_by.size(); ++value) {
    if (made_by[value] < 0) continue;
    for (const int user : used_by[value])
      needed[static_cast<size_t>(user)].push_back(made_by[value]);
  }
  for (std::vector<int>& list : needed) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
  return needed;
}

Nanoseconds lay_out(TimelineKind kind, std::span<const Step> steps,
                    const std::vector<std::vector<int>>& needed, std::vector<StepTime>& times) {
  constexpr size_t kProcessors = ir::kEnumText<Processor>.size();
  std::array<Nanoseconds, kProcessors> free{};
  Nanoseconds last{0};
  for (size_t i = 0; i < steps.size(); ++i) {
    // One after the other: as if all shared a processor.
    const size_t at = kind == TimelineKind::Wall ? 0 : static_cast<size_t>(steps[i].processor);
    Nanoseconds start = free[at];
    for (const int before : needed[i]) {
      const StepTime& producer = times[static_cast<size_t>(before)];
      start = std::max(start, producer.start + producer.duration);
    }
    times[i].start = start;
    free[at] = start + times[i].duration;
    last = std::max(last, free[at]);
  }
  return last;
}

}  // namespace dlaexec::run
