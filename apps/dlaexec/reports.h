// Everything that a job reports, on the console and in files, as its flags ask.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gates.h"
#include "inference.h"
#include "job.h"
#include "plan_source.h"
#include "report/accuracy.h"
#include "report/machine.h"
#include "settings.h"

namespace dlaexec::cli {

/// What all reports of one job are made from.
struct Reporter {
  const Settings& settings;
  const Job& job;
  const std::vector<std::string>& command;
  report::Machine machine;                   ///< as it was before the job
  std::optional<report::Accuracy> accuracy;  ///< what --compareTo and --validate found

  /// One line: how many layers run where. With --explain also every layer and why, as far as a
  /// loaded plan remembers it.
  void placement(const plan::Plan& plan) const;
  /// --explain: every layer, why it runs where it does and what to change, on the console or as
  /// JSON in its file.
  void explanation(const place::Explanation& explanation) const;
  /// Layer information and optimization profile.
  void layers(const plan::Plan& plan) const;
  /// The performance report, times, profile and outputs. @p profiled is the run that the layer
  /// profile is made from, if one is wanted.
  void run(const Inference& inference, const bench::Result& result,
           const bench::Result* profiled) const;
  /// A run in the formats of other benchmark tools, as far as they are wanted.
  void other_tools(const bench::Result& result) const;
  /// The summary of a run, or of a build alone when @p result is null.
  std::string summary(const ReadyPlan& ready, const plan::Plan& plan, const Inference* inference,
                      const bench::Result* result, const Gates& gates) const;
};

}  // namespace dlaexec::cli
