#include "compare.h"

#include "base/error.h"
#include "base/file.h"
#include "grammar.h"
#include "plan/file.h"
#include "report/recorded.h"
#include "report/summary.h"

namespace dlaexec::cli {
namespace {

report::Recorded read(const std::string& path) {
  return report::read_summary(read_file(path), path);
}

/// The two files of a flag whose value is "A,B".
std::pair<std::string, std::string> two_files(const Settings& settings, Flag flag) {
  const std::vector<std::string> files = split_list(settings.text(flag));
  if (files.size() != 2)
    fail(Fault::Usage, "{} is given {} of its two files, the earlier first: {}={}", spelling(flag),
         files.size(), spelling(flag), info(flag).value);
  return {files[0], files[1]};
}

double limit_of(const Settings& settings) {
  return parse_percent(settings.text(Flag::maxRegression), spelling(Flag::maxRegression));
}

report::RunComparison compare(const Settings& settings, const report::Recorded& before,
                              const report::Recorded& after) {
  const std::vector<std::string> reasons = report::obstacles(before, after);
  if (!reasons.empty() && !settings.on(Flag::force))
    fail("{} and {} cannot be compared: {}; --force compares them all the same", before.source,
         after.source, join(reasons, "; "));
  report::RunComparison comparison = report::compare(before, after, limit_of(settings));
  for (const std::string& reason : reasons) comparison.remarks.push_back("forced: " + reason);
  return comparison;
}

/// A plan as the summary of a build that was not run tells it.
report::Recorded read_plan(const std::string& path) {
  const MappedFile file(path);
  const plan::Plan plan = in_context([&] { return format("reading the plan '{}'", path); },
                                     [&] { return plan::from_bytes(file.bytes(), file.owner()); });
  report::Run run;
  run.plan = &plan;
  run.plan_bytes = static_cast<int64_t>(file.bytes().size());
  run.machine.cores = 1;
  if (plan::uses_dla(plan)) run.board = run::board_of(plan.metadata, {});
  return report::read_summary(report::summary_json(run), path);
}

}  // namespace

report::RunComparison compare_summaries(const Settings& settings) {
  const auto [before, after] = two_files(settings, Flag::compare);
  return compare(settings, read(before), read(after));
}

report::RunComparison compare_with_baseline(const Settings& settings, const std::string& summary) {
  return compare(settings, read(settings.text(Flag::baseline)),
                 report::read_summary(summary, "this run"));
}

report::RunComparison diff_plans(const Settings& settings) {
  const auto files = two_files(settings, Flag::diffPlans);
  report::Recorded a = read_plan(files.first), b = read_plan(files.second);
  // The process that reads is not part of a plan.
  for (report::Recorded* plan : {&a, &b})
    std::erase_if(plan->sizes, [](const report::RecordedSize& size) {
      return size.name.starts_with("peak memory");
    });
  report::RunComparison comparison = report::compare(a, b, limit_of(settings));
  comparison.remarks.clear();
  return comparison;
}

}  // namespace dlaexec::cli
