// The summary of a run as JSON: what this project adds to trtexec's four exports. Its schema is
// scripts/schema/summary.json.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/figures.h"
#include "bench/result.h"
#include "plan/plan.h"
#include "report/accuracy.h"
#include "report/gate.h"
#include "report/machine.h"
#include "run/board.h"

namespace dlaexec::report {

/// Raised when a member is added, changed or taken away. report/recorded.h reads this version and
/// older ones, whose schemas stay beside the newest: summary-1.json.
inline constexpr int kSummaryVersion = 2;

/// Everything that a summary tells.
struct Run {
  std::vector<std::string> command;                          ///< argv
  std::vector<std::pair<std::string, std::string>> options;  ///< flags that were given
  const plan::Plan* plan = nullptr;
  int64_t plan_bytes = 0;
  double build_s = 0;  ///< building or loading
  /// Absent when nothing was run.
  const bench::Result* result = nullptr;
  const std::vector<run::Step>* steps = nullptr;
  std::vector<float> percentiles;
  std::optional<run::Board> board;  ///< that the modelled times are for
  Machine machine;
  Conditions conditions;  ///< while it was measured
  std::span<const Gate> gates;
  const Accuracy* accuracy = nullptr;  ///< absent when nothing was compared or validated
};

std::string summary_json(const Run& run);

}  // namespace dlaexec::report
