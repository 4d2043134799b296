// The dlaexec command.
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <optional>

#include "accuracy.h"
#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "console.h"
#include "echo.h"
#include "environment.h"
#include "finish.h"
#include "help.h"
#include "inference.h"
#include "interrupt.h"
#include "jetson.h"
#include "job.h"
#include "metadata_files.h"
#include "output_files.h"
#include "plan_source.h"
#include "question.h"
#include "reader_watch.h"
#include "reports.h"
#include "settings.h"
#include "stopwatch.h"
#include "tune_precision.h"
#include "what_if.h"

namespace dlaexec::cli {
namespace {

/// What the command was called with, behind the program's name.
std::vector<std::string> arguments_of(const std::vector<std::string>& command) {
  return {command.begin() + (command.empty() ? 0 : 1), command.end()};
}

/// As shells say it of a process that a signal ended: 130 for Ctrl-C.
constexpr int kSignalled = 128;

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

/// The least severe lines that are printed; verbose ones not before the options are.
log::Severity least_severity(const Settings& settings) {
  constexpr std::pair<std::string_view, log::Severity> kLevels[] = {
      {"error", log::Severity::Error}, {"warning", log::Severity::Warning}};
  for (const auto& [name, severity] : kLevels)
    if (settings.text(Flag::logLevel) == name) return severity;
  return settings.on(Flag::quiet) ? log::Severity::Warning : log::Severity::Info;
}

bool is_verbose(const Settings& settings) {
  return settings.on(Flag::verbose) || settings.text(Flag::logLevel) == "verbose";
}

/// How lines look, before the first one is printed.
void configure(Console& console, const Settings& settings) {
  const std::string colour = settings.text(Flag::color);
  console.set_colour(colour == "always"  ? Colour::Always
                     : colour == "never" ? Colour::Never
                                         : Colour::Auto);
  if (settings.text(Flag::logFormat) == "json") console.set_format(LogFormat::Json);
  console.show_from(least_severity(settings));
  console.set_release(release(settings.dialect()));
  const std::string progress = settings.text(Flag::progress);
  if (progress == "always" || (progress == "auto" && ::isatty(STDERR_FILENO) != 0 && has_escapes()))
    console.show_progress();
}

ReadyPlan make_plan(Job& job, Console& console) {
  if (!job.builds()) {
    console.enter(Console::Stage::Loading);
    return load_plan(job);
  }
  console.enter(Console::Stage::Parsing);
  job.build.on_stage = [&, next = job.build.on_stage](std::string_view stage,
                                                      const ir::Graph& graph) {
    if (stage == "import") console.enter(Console::Stage::Building);
    if (next) next(stage, graph);
  };
  return build_plan(job);
}

/// What is left to do with a plan that is not measured.
void answer_without_running(const Settings& settings, const Job& job, const Console& console,
                            const plan::Plan& plan) {
  if (wants_table(settings)) return console.print(what_if_table(settings, job, plan));
  if (job.time_deserialize) return time_deserialization(plan);
  log::info("Skipped inference phase since --skipInference is added.");
}

/// Measures, a second time where a profile is wanted apart, and reports.
bench::Result measure(const Reporter& reporter, Inference& inference) {
  const Job& job = reporter.job;
  bench::Result result;
  std::optional<bench::Result> profiled;
  {
    const InterruptEndsMeasuring guard;  // before the line: who reads it may send a signal
    const ReaderWatch watch;
    log::info("Starting inference");
    result = inference.measure();
    if (job.profiles) profiled = job.separate_profile_run ? inference.measure() : result;
  }
  reporter.run(inference, result, profiled ? &*profiled : nullptr);
  reporter.other_tools(result);
  return result;
}

/// Builds or loads the plan, then runs, measures and reports it as far as that is wanted.
void run_job(const Settings& settings, Console& console, const std::vector<std::string>& command) {
  const Stopwatch watch;
  Job job = make_job(settings);
  job.inference.persona = console.persona();
  require_writable_files(settings);
  require_readable_gates(settings);
  Reporter reporter{settings, job, command, report::this_machine(), {}};
  if (settings.given(Flag::dumpGraph))
    return console.print(dump_graph(job, settings.text(Flag::dumpGraph)));
  const std::vector<std::string> echo =
      echo_lines(settings, job, reporter.machine, console.persona());
  for (const std::string& line : echo) log::info("{}", line);
  export_build_metadata(settings, echo);
  if (is_verbose(settings)) console.show_from(log::Severity::Verbose);

  const auto precision = job.skip_build ? std::nullopt : tune_precision(settings, job);
  AccuracyCheck check(settings, job);
  const auto explain = [&](const place::Explanation& all) { reporter.explanation(all); };
  if (job.skip_build) return explain(build::explain(job.build));
  if (settings.given(Flag::explain)) job.build.on_explanation = explain;
  ReadyPlan ready = make_plan(job, console);
  console.enter(Console::Stage::SettingUp);
  reporter.placement(ready.plan);
  if (!job.time_deserialize) reporter.accuracy = check.run(ready.plan);
  if (precision)
    reporter.accuracy.emplace(reporter.accuracy.value_or(report::Accuracy{})).precision = precision;
  if (wants_table(settings) || job.time_deserialize || job.skip_inference) {
    reporter.layers(ready.plan);
    answer_without_running(settings, job, console, ready.plan);
    return finish_job(reporter, ready, nullptr, nullptr, {}, watch.seconds());
  }
  Inference inference(std::move(ready.plan), job.inference);
  reporter.layers(inference.engine().plan());
  console.enter(Console::Stage::Inferring);
  const bench::Result result = measure(reporter, inference);
  export_profile_metadata(settings, echo, result, job.percentiles);
  const Gates references = reference_gates(job.references, inference);
  finish_job(reporter, ready, &inference, &result, references, watch.seconds());
}

/// Says what ended the command before its end, and gives its exit status.
int end_with(const Error& error, Console& console, bool only_one) {
  console.begin();
  console.report(error);
  console.test_line("FAILED");
  if (const int signal = interrupted_by()) return kSignalled + signal;
  return status_of(error.fault(), only_one);
}

int run(Console& console, const std::vector<std::string>& command) {
  bool only_one = console.persona() == Persona::Trtexec;
  try {
    const Settings settings = parse_arguments(arguments_of(command), read_environment());
    only_one = only_one || settings.text(Flag::exitCodes) == "trtexec";
    configure(console, settings);
    if (const auto text = answer(settings)) {
      if (console.persona() == Persona::Trtexec) console.begin();
      console.print(*text);
      return 0;
    }
    if (writes_to_stdout(settings)) console.reserve_stdout();
    console.begin();
    catch_interrupts(console.test_line_text("FAILED"), console.stdout_is_data());
    if (settings.on(Flag::getPlanVersionOnly))
      log::info("{}", plan_version(settings, console.persona()));
    else if (is_comparison(settings))
      run_comparison(settings, console, command);
    else
      run_job(with_jetson(settings, dla::this_jetson()), console, command);
    if (const int signal = interrupted_by()) {
      console.test_line("FAILED");
      return kSignalled + signal;
    }
    console.test_line("PASSED");
    return 0;
  } catch (const Error& error) {
    return end_with(error, console, only_one);
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = error.path1().string();
    return end_with({Fault::Failed, format("cannot reach '{}': {}", path, error.code().message())},
                    console, only_one);
  } catch (const std::exception& error) {
    return end_with({Fault::Failed, format("Uncaught exception detected: {}", error.what())},
                    console, only_one);
  }
}

}  // namespace
}  // namespace dlaexec::cli

int main(int argc, char** argv) {
  using namespace dlaexec::cli;
  const std::vector<std::string> command(argv, argv + argc);
  Console console(command);
  const int status = argc <= 1 ? answer_nothing(console) : run(console, command);
  if (console.write_failure().empty()) return status;
  dlaexec::log::error("cannot write to standard output: {}", console.write_failure());
  return status != 0 ? status : static_cast<int>(dlaexec::Fault::Failed);
}
