// Gates on what a run took: time, memory, size of the plan.
#pragma once

#include "bench/result.h"
#include "gates.h"
#include "plan/plan.h"
#include "run/timeline.h"
#include "settings.h"

namespace dlaexec::cli {

/// --maxPlanSize and --maxMemory. @p plan_bytes is the plan's file.
Gates size_gates(const Settings& settings, const plan::Plan& plan, int64_t plan_bytes);

/// --maxLatency. Where something was measured, the interval of the percentile decides; one that
/// holds the limit is inconclusive.
Gates time_gates(const Settings& settings, const bench::Result& result,
                 const std::vector<run::Step>& steps);

}  // namespace dlaexec::cli
