#include "finish.h"

#include <iterator>

#include "ab.h"
#include "accuracy.h"
#include "base/error.h"
#include "base/file.h"
#include "compare.h"
#include "gates.h"
#include "output_files.h"
#include "plan/file.h"
#include "report/comparison_text.h"
#include "report/page.h"
#include "report/recorded.h"
#include "run_gates.h"

namespace dlaexec::cli {
namespace {

void append(Gates& gates, Gates&& more) {
  gates.insert(gates.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
}

const plan::Plan& plan_of(const ReadyPlan& ready, const Inference* inference) {
  return inference != nullptr ? inference->engine().plan() : ready.plan;
}

int64_t plan_bytes(const ReadyPlan& ready, const plan::Plan& plan) {
  return ready.file_bytes != 0 ? ready.file_bytes : static_cast<int64_t>(plan::bytes_in_file(plan));
}

Gates gates_of_job(const Reporter& reporter, const ReadyPlan& ready, const Inference* inference,
                   const bench::Result* result) {
  const Settings& settings = reporter.settings;
  const plan::Plan& plan = plan_of(ready, inference);
  Gates gates = placement_gates(settings, plan);
  if (settings.given(Flag::maxPlanSize) || settings.given(Flag::maxMemory))
    append(gates, size_gates(settings, plan, plan_bytes(ready, plan)));
  if (result != nullptr) append(gates, time_gates(settings, *result, inference->engine().steps()));
  if (reporter.accuracy) append(gates, accuracy_gates(settings, *reporter.accuracy));
  return gates;
}

report::RunComparison compare_as_asked(const Settings& settings,
                                       const std::vector<std::string>& command) {
  if (settings.given(Flag::compare)) return compare_summaries(settings);
  if (settings.given(Flag::diffPlans)) return diff_plans(settings);
  return run_ab(settings, command);
}

}  // namespace

void require_readable_gates(const Settings& settings) {
  for (const Flag flag : {Flag::maxRegression, Flag::exportComparison})
    if (settings.given(flag) && !settings.given(Flag::baseline))
      fail(Fault::Usage,
           "{} needs an earlier run to compare with: give --baseline=FILE, or --compare=A,B",
           spelling(flag));
  if (settings.given(Flag::abOptions))
    fail(Fault::Usage, "--abOptions are those of the other side of --abRuns=N: give both");
  if (settings.given(Flag::baseline)) {
    const std::string path = settings.text(Flag::baseline);
    report::read_summary(read_file(path), path);
  }
  if (settings.given(Flag::expectPlacement)) read_file(settings.text(Flag::expectPlacement));
}

void finish_job(const Reporter& reporter, const ReadyPlan& ready, const Inference* inference,
                const bench::Result* result, const Gates& references, double seconds) {
  const Settings& settings = reporter.settings;
  Conclusion conclusion{gates_of_job(reporter, ready, inference, result), std::nullopt,
                        reporter.job.subject(), seconds};
  conclusion.gates.insert(conclusion.gates.end(), references.begin(), references.end());
  const plan::Plan& plan = plan_of(ready, inference);
  const auto summary = [&] {
    return reporter.summary(ready, plan, inference, result, conclusion.gates);
  };
  if (settings.given(Flag::baseline)) conclusion.add(compare_with_baseline(settings, summary()));
  if (settings.given(Flag::exportSummary))
    write_file(settings.text(Flag::exportSummary), summary());
  if (settings.given(Flag::exportHtml))
    write_file(settings.text(Flag::exportHtml), report::summary_page(summary()));
  if (settings.given(Flag::exportPlacement))
    write_file(settings.text(Flag::exportPlacement), placement_text(plan));
  conclude(settings, conclusion);
}

bool is_comparison(const Settings& settings) {
  return settings.given(Flag::compare) || settings.given(Flag::diffPlans) ||
         settings.given(Flag::abRuns);
}

void run_comparison(const Settings& settings, const Console& console,
                    const std::vector<std::string>& command) {
  require_writable_files(settings);
  Conclusion conclusion;
  report::RunComparison comparison = compare_as_asked(settings, command);
  conclusion.subject = comparison.after;
  if (settings.given(Flag::diffPlans))
    conclusion.comparison = std::move(comparison);  // tells, does not judge
  else
    conclusion.add(std::move(comparison));
  if (settings.on(Flag::json))
    console.print(report::comparison_json(*conclusion.comparison, conclusion.gates));
  conclude(settings, conclusion);
}

}  // namespace dlaexec::cli
