// --compare, --baseline and --diffPlans: what the flags ask to be held against each other.
#pragma once

#include <string>

#include "report/comparison.h"
#include "settings.h"

namespace dlaexec::cli {

/// The two summaries of --compare. Throws an Error that says why when they cannot be compared,
/// unless --force is given: then the comparison remarks on it.
report::RunComparison compare_summaries(const Settings& settings);

/// This run's @p summary against --baseline, in the same way.
report::RunComparison compare_with_baseline(const Settings& settings, const std::string& summary);

/// The two plans of --diffPlans, or plan and model; nothing is run.
report::RunComparison diff_plans(const Settings& settings);

}  // namespace dlaexec::cli
