// The gates of a command: what --maxGpuLayers, --requireDLA and the like ask for, and what comes of
// it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "report/comparison.h"
#include "report/gate.h"
#include "settings.h"

namespace dlaexec::cli {

using Gates = std::vector<report::Gate>;

/// What the flags ask of the plan's placement.
Gates placement_gates(const Settings& settings, const plan::Plan& plan);

/// --expectPlacement: a line for each layer, LAYER:GPU or LAYER:DLA; what --exportPlacement writes.
std::string placement_text(const plan::Plan& plan);

/// What a command comes to.
struct Conclusion {
  Gates gates;
  std::optional<report::RunComparison> comparison;
  std::string subject;  ///< what was gated, for the reports' titles
  double seconds = 0;   ///< that the command took

  /// Keeps the comparison and adds its gates.
  void add(report::RunComparison made);
};

/// Prints comparison and gates, writes the files that --exportJUnit and the like ask for, and
/// throws an Error with the exit status that the gates and --inconclusive come to when they do not
/// pass.
void conclude(const Settings& settings, const Conclusion& conclusion);

}  // namespace dlaexec::cli
