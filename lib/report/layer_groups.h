// What belongs together in two runs, and what was decided differently for it.
#pragma once

#include <string>
#include <vector>

#include "report/comparison.h"
#include "report/recorded.h"

namespace dlaexec::report {

/// The parts of two runs that hold the same layers: fused here and apart there, they are one group.
struct LayerGroup {
  std::vector<std::string> layers;  ///< in the later run's order; the step's name when it has none
  bool holds_layers = false;
  std::vector<const RecordedPart*> before, after;
};

/// In the order of the earlier run, then what only the later one has.
std::vector<LayerGroup> layer_groups(const Recorded& before, const Recorded& after);

/// The costliest first. @p costs are those of layer_groups(), in its order.
std::vector<Decision> decisions(const Recorded& before, const Recorded& after,
                                const std::vector<LayerChange>& costs);

}  // namespace dlaexec::report
