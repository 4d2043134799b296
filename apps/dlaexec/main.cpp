// The dlaexec command.
#include <unistd.h>
#include <chrono>

#include <exception>
#include <optional>

#include "accuracy.h"
#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "console.h"
#include "echo.h"
#include "finish.h"
#include "help.h"
#include "inference.h"
#include "jetson.h"
#include "job.h"
#include "metadata_files.h"
#include "plan_source.h"
#include "question.h"
#include "reports.h"
#include "settings.h"
#include "tune_precision.h"
#include "what_if.h"

namespace dlaexec::cli {
namespace {

/// What the command was called with, behind the program's name.
std::vector<std::string> arguments_of(const std::vector<std::string>& command) {
  return {command.begin() + (command.empty() ? 0 : 1), command.end()};
}

/// As shells say it of a process that Ctrl-C ended.
constexpr int kInterrupted = 130;

/// An exit status of its own for each fault, unless 0 and 1 are all that is wanted.
int status_of(Fault fault, bool only_one) { return only_one ? 1 : static_cast<int>(fault); }

/// Somebody typed the name alone: trtexec prints its help and passes.
int answer_nothing(Console& console) {
  if (console.persona() == Persona::Trtexec) {
    console.begin();
    console.print(help(""));
    console.test_line("PASSED");
    return 0;
  }
  console.print(usage());
  return static_cast<int>(Fault::Usage);
}

/// How lines look, before the first one is printed.
void configure(Console& console, const Settings& settings) {
  const std::string colour = settings.text(Flag::color);
  console.set_colour(colour == "always"  ? Colour::Always
                     : colour == "never" ? Colour::Never
                                         : Colour::Auto);
  if (settings.text(Flag::logFormat) == "json") console.set_format(LogFormat::Json);
  if (settings.on(Flag::quiet)) console.be_quiet();
  console.set_release(release(settings.dialect()));
  const std::string progress = settings.text(Flag::progress);
  if (progress == "always" || (progress == "auto" && ::isatty(STDERR_FILENO) != 0))
    console.show_progress();
}

/// Builds or loads the plan, then runs, measures and reports it as far as that is wanted.
void run_job(const Settings& settings, Console& console, const std::vector<std::string>& command) {
  const auto start = std::chrono::steady_clock::now();
  Job job = make_job(settings);
  require_writable_files(settings);
  require_readable_gates(settings);
  Reporter reporter{settings, job, command, report::this_machine(), {}};
  if (settings.given(Flag::dumpGraph)) {
    console.print(dump_graph(job, settings.text(Flag::dumpGraph)));
    return;
  }
  const std::vector<std::string> echo = echo_lines(settings, job, reporter.machine);
  for (const std::string& line : echo) log::info("{}", line);
  export_build_metadata(settings, echo);
  if (settings.on(Flag::verbose)) console.show_verbose();

  const auto precision = job.skip_build ? std::nullopt : tune_precision(settings, job);
  AccuracyCheck check(settings, job);
  const auto explain = [&](const place::Explanation& all) { reporter.explanation(all); };
  if (job.skip_build) return explain(build::explain(job.build));
  if (settings.given(Flag::explain)) job.build.on_explanation = explain;
  console.enter(job.builds() ? Console::Stage::Building : Console::Stage::Loading);
  ReadyPlan ready = job.builds() ? build_plan(job) : load_plan(job);
  console.enter(Console::Stage::Inferring);
  reporter.placement(ready.plan);
  Gates references;
  const auto finish = [&](const Inference* inference, const bench::Result* result) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    finish_job(reporter, ready, inference, result, references, took.count());
  };
  if (job.time_deserialize) {
    time_deserialization(ready.plan);
    return finish(nullptr, nullptr);
  }
  reporter.layers(ready.plan);
  reporter.accuracy = check.run(ready.plan);
  if (precision)
    reporter.accuracy.emplace(reporter.accuracy.value_or(report::Accuracy{})).precision = precision;
  if (wants_table(settings)) {
    console.print(what_if_table(settings, job, ready.plan));
    return finish(nullptr, nullptr);
  }
  if (job.skip_inference) {
    log::info("Skipped inference phase since --skipInference is added.");
    return finish(nullptr, nullptr);
  }
  Inference inference(std::move(ready.plan), job.inference);
  log::info("Starting inference");
  const bench::Result result = inference.measure();
  std::optional<bench::Result> profiled;
  if (job.profiles) profiled = job.separate_profile_run ? inference.measure() : result;
  reporter.run(inference, result, profiled ? &*profiled : nullptr);
  export_profile_metadata(settings, echo, result, job.percentiles);
  reporter.other_tools(result);
  references = reference_gates(job.references, inference);
  finish(&inference, &result);
}

int run(Console& console, const std::vector<std::string>& command) {
  bool only_one = console.persona() == Persona::Trtexec;
  try {
    const Settings settings = parse_arguments(arguments_of(command));
    only_one = only_one || settings.text(Flag::exitCodes) == "trtexec";
    configure(console, settings);
    if (const auto text = answer(settings)) {
      if (console.persona() == Persona::Trtexec) console.begin();
      console.print(*text);
      return 0;
    }
    if (writes_to_stdout(settings)) console.reserve_stdout();
    console.begin();
    if (is_comparison(settings))
      run_comparison(settings, console, command);
    else
      run_job(with_jetson(settings, dla::this_jetson()), console, command);
    if (Inference::was_interrupted()) {
      console.test_line("FAILED");
      return kInterrupted;
    }
    console.test_line("PASSED");
    return 0;
  } catch (const Error& error) {
    console.begin();
    console.report(error);
    console.test_line("FAILED");
    return status_of(error.fault(), only_one);
  } catch (const std::exception& error) {
    console.begin();
    log::error("Uncaught exception detected: {}", error.what());
    console.test_line("FAILED");
    return static_cast<int>(Fault::Failed);
  }
}

}  // namespace
}  // namespace dlaexec::cli

int main(int argc, char** argv) {
  using namespace dlaexec::cli;
  const std::vector<std::string> command(argv, argv + argc);
  Console console(command);
  if (argc <= 1) return answer_nothing(console);
  return run(console, command);
}
