// What-if questions: other power modes, clocks and memories than a board has, as a table.
#pragma once

#include <string>
#include <vector>

#include "job.h"
#include "plan/plan.h"
#include "settings.h"

namespace dlaexec::cli {

/// The first power mode of --powerMode; empty, the platform's first mode, when none is named.
std::string power_mode(const Settings& settings);
/// The values of --dlaClock in MHz and of --dramBandwidth in GB/s; empty: not given. Throws a usage
/// Error for what is no number above 0 and no range.
std::vector<double> dla_clocks(const Settings& settings);
std::vector<double> dram_bandwidths(const Settings& settings);

/// True when some of them has several values: a table is wanted, and no run.
bool wants_table(const Settings& settings);

/// A row for each combination: the modelled time of the DLA, and of the whole plan on the board. As
/// JSON with --json.
std::string what_if_table(const Settings& settings, const Job& job, const plan::Plan& plan);

}  // namespace dlaexec::cli
