// --abRuns: two jobs measured in turns in one process.
#pragma once

#include <string>
#include <vector>

#include "report/comparison.h"
#include "settings.h"

namespace dlaexec::cli {

/// The settings of B: those of @p settings, with the flags of --abOptions in place of theirs.
Settings options_of_b(const Settings& settings);

/// Builds or loads both, measures them in turns, A B B A, and compares round by round: what slows
/// the machine down meanwhile slows both. @p command goes into the summaries that are compared.
report::RunComparison run_ab(const Settings& settings, const std::vector<std::string>& command);

}  // namespace dlaexec::cli
