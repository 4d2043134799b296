// --compareTo and --validate: how good the plan's outputs are.
#pragma once

#include <memory>
#include <optional>

#include "accuracy/peer.h"
#include "gates.h"
#include "job.h"
#include "plan/plan.h"
#include "report/accuracy.h"
#include "settings.h"

namespace dlaexec::cli {

/// Looks at the plan with other eyes than the clock's. Made before the build, which it listens to.
class AccuracyCheck {
 public:
  /// Throws a usage Error for flags that contradict each other. Makes the build in @p job tell it
  /// what comparisons need.
  AccuracyCheck(const Settings& settings, Job& job);

  /// Runs what is asked for and prints it. Nothing when nothing is.
  std::optional<report::Accuracy> run(const plan::Plan& plan);

 private:
  const Settings& settings_;
  const Job& job_;
  build::Options options_;  ///< of the build, without what it is told to report
  std::unique_ptr<accuracy::BuildRecord> record_;
};

/// --minCosine, --minTop1 and --maxAccuracyLoss on what was found.
Gates accuracy_gates(const Settings& settings, const report::Accuracy& found);

}  // namespace dlaexec::cli
