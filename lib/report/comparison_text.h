// A comparison as people and programs read it.
#pragma once

#include <span>
#include <string>

#include "report/comparison.h"
#include "report/gate.h"

namespace dlaexec::report {

/// Figures, costliest layers, decisions, sizes and remarks, to the log.
void print_comparison(const RunComparison& comparison);

/// Raised when a member is added, changed or taken away.
inline constexpr int kComparisonVersion = 1;

/// One object; its schema is scripts/schema/comparison.json.
std::string comparison_json(const RunComparison& comparison, std::span<const Gate> gates);

/// Gates, and the comparison when there is one, as a page for a CI system's job summary.
std::string markdown(std::span<const Gate> gates, const RunComparison* comparison);

/// Gates that did not pass, as GitHub's workflow commands: "::error title=...::...".
std::string annotations(std::span<const Gate> gates, Undecided undecided);

}  // namespace dlaexec::report
