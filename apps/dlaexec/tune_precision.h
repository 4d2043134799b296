// --tunePrecision: which layers leave INT8 so that the outputs are good enough at least time.
#pragma once

#include "job.h"
#include "report/accuracy.h"
#include "settings.h"

namespace dlaexec::cli {

/// Searches, prints what was found and makes the build of @p job take it. Nothing unless
/// --tunePrecision is given. Throws a gate Error when no choice of layers is good enough.
std::optional<report::PrecisionResult> tune_precision(const Settings& settings, Job& job);

}  // namespace dlaexec::cli
