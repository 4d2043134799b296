// Model in, plan out.
#pragma once

#include "build/options.h"
#include "place/explain.h"
#include "plan/plan.h"

namespace dlaexec::build {

/// The plan for the model and the wishes in @p options: the same inputs give the same plan. Says on
/// the log what a TensorRT builder says. Throws an Error when the model or a wish cannot be met.
plan::Plan build(const Options& options);

/// Where build() would put every layer and why, without building: reasons, and what to change.
/// Layers that may not leave the DLA (no fallback) are explained, too, and are no error.
place::Explanation explain(const Options& options);

}  // namespace dlaexec::build
