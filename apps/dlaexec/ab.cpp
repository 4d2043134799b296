#include "ab.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "base/log.h"
#include "bench/rounds.h"
#include "grammar.h"
#include "inference.h"
#include "interrupt.h"
#include "job.h"
#include "plan_source.h"
#include "report/recorded.h"
#include "report/summary.h"

namespace dlaexec::cli {
namespace {

/// Fewer cannot bound a median difference at 99 %.
constexpr int64_t kFewestRounds = 8;
/// Part of a round that is spent getting warm again after the other side ran.
constexpr double kWarmUpShare = 0.1;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// One of the two, and what its rounds gave.
struct Side {
  std::string name;
  Settings settings;
  Job job;
  int64_t plan_bytes = 0;
  std::optional<Inference> inference;
  std::vector<bench::Result> rounds;
};

/// Job's options are referred to by its inference, so a side never moves once it is made ready.
void make_ready(Side& side, int64_t rounds) {
  log::info("");
  log::info("=== {} ===", side.name);
  side.job = make_job(side.settings);
  ReadyPlan ready = side.job.builds() ? build_plan(side.job) : load_plan(side.job);
  side.plan_bytes = ready.file_bytes;
  measure::LoopLimits& limits = side.job.inference.bench.limits;
  limits.duration_ms /= static_cast<double>(rounds);
  limits.iterations = std::max<int64_t>(1, limits.iterations / rounds);
  side.inference.emplace(std::move(ready.plan), side.job.inference);
}

void measure_round(Side& side) {
  measure::LoopLimits& limits = side.job.inference.bench.limits;
  side.rounds.push_back(side.inference->measure());
  limits.warm_up_ms = std::min(limits.warm_up_ms, limits.duration_ms * kWarmUpShare);
}

report::Recorded record(const Side& side, const std::vector<std::string>& command) {
  const bench::Result medians = bench::medians_of(side.rounds);
  report::Run run;
  run.command = command;
  run.plan = &side.inference->engine().plan();
  run.plan_bytes = side.plan_bytes;
  run.result = &medians;
  run.steps = &side.inference->engine().steps();
  run.board = side.inference->engine().board();
  run.percentiles = side.job.percentiles;
  run.machine = report::this_machine();
  report::Recorded recorded = report::read_summary(report::summary_json(run), side.name);
  recorded.streams = side.rounds.front().streams;
  // Memory of the process, in which both ran, says nothing of either.
  std::erase_if(recorded.sizes, [](const report::RecordedSize& size) {
    return size.name.starts_with("peak memory");
  });
  return recorded;
}

bool keeps(Flag flag, const Settings& extra) {
  // What B is made from replaces what A is made from.
  const bool other_source = extra.given(Flag::loadEngine) || extra.given(Flag::onnx);
  if (other_source && (flag == Flag::onnx || flag == Flag::loadEngine)) return false;
  const bool is_output = info(flag).kind == Kind::OutFile;
  return !is_output && flag != Flag::abRuns && flag != Flag::abOptions && !extra.given(flag);
}

}  // namespace

Settings options_of_b(const Settings& settings) {
  const std::vector<std::string> words = words_of(settings.text(Flag::abOptions));
  const Settings extra = in_context([] { return std::string("reading --abOptions"); },
                                    [&] { return parse_arguments(words); });
  std::vector<std::string> arguments;
  for (const Given& given : settings.in_order())
    if (keeps(given.flag, extra))
      arguments.push_back(format("{}={}", spelling(given.flag), given.value));
  arguments.insert(arguments.end(), words.begin(), words.end());
  return parse_arguments(arguments);
}

report::RunComparison run_ab(const Settings& settings, const std::vector<std::string>& command) {
  const int64_t rounds = settings.integer(Flag::abRuns);
  if (rounds < kFewestRounds)
    fail(Fault::Usage, "--abRuns is {}; give {} or more: fewer rounds decide nothing", rounds,
         kFewestRounds);
  if (!settings.given(Flag::abOptions))
    fail(Fault::Usage,
         "--abRuns needs what differs in B: --abOptions=\"--loadEngine=B.plan\" or other flags");
  Side a{"A", settings, {}, 0, {}, {}}, b{"B", options_of_b(settings), {}, 0, {}, {}};
  make_ready(a, rounds);
  make_ready(b, rounds);
  log::info("Measuring {} rounds of A and B in turns; B has {}", rounds,
            settings.text(Flag::abOptions));
  for (int64_t i = 0; i < rounds && interrupted_by() == 0; ++i) {
    Side& first = i % 2 == 0 ? a : b;
    Side& second = i % 2 == 0 ? b : a;
    measure_round(first);
    measure_round(second);
  }
  const report::Recorded before = record(a, command), after = record(b, command);
  const std::vector<std::string> reasons = report::obstacles(before, after);
  if (!reasons.empty() && !settings.on(Flag::force))
    fail("A and B cannot be compared: {}; --force compares them all the same", join(reasons, "; "));
  return report::compare(before, after,
                         parse_percent(settings.text(Flag::maxRegression), "--maxRegression"),
                         report::Pairing::Rounds);
}

}  // namespace dlaexec::cli
