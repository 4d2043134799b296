// The gates of a command: what --maxGpuLayers, --requireDLA and the like ask for, and what comes of
// it.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"
#include "report/gate.h"
#include "settings.h"

namespace dlaexec::cli {

using Gates = std::vector<report::Gate>;

/// What the flags ask of the plan's placement.
Gates placement_gates(const Settings& settings, const plan::Plan& plan);

/// Prints the gates, writes --exportJUnit, and throws an Error with the exit status that the gates
/// and --inconclusive come to when they do not pass. @p seconds is how long the command took, @p
/// subject what was gated.
void conclude(const Settings& settings, const Gates& gates, const std::string& subject,
              double seconds);

}  // namespace dlaexec::cli
