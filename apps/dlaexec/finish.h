// The end of a command: gates, comparison, summary, and the exit status that they come to.
#pragma once

#include "console.h"
#include "reports.h"

namespace dlaexec::cli {

/// Throws the Error of a --baseline or --expectPlacement that cannot be read, before a long run
/// whose end it would spoil, and of a flag that has no other run to compare with: it would test
/// nothing and pass.
void require_readable_gates(const Settings& settings);

/// Tests the gates of a job, compares it with --baseline, writes --exportSummary, then concludes.
/// @p inference and @p result are null when nothing was run; @p seconds is how long the job took,
/// @p references the gates of --loadRefOutputs.
void finish_job(const Reporter& reporter, const ReadyPlan& ready, const Inference* inference,
                const bench::Result* result, const Gates& references, double seconds);

/// True when the command compares instead of running a job: --compare, --diffPlans, --abRuns.
bool is_comparison(const Settings& settings);

/// Does what such a command asks for.
void run_comparison(const Settings& settings, const Console& console,
                    const std::vector<std::string>& command);

}  // namespace dlaexec::cli
