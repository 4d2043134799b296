#include "reports.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_voice.h"
#include "bench/figures.h"
#include "build/build.h"
#include "ir/npy.h"
#include "plan/file.h"
#include "report/benchmark_formats.h"
#include "report/dla_operations.h"
#include "report/layer_info.h"
#include "report/performance.h"
#include "report/summary.h"

namespace dlaexec::cli {
namespace {

/// Layers that are left of the network at run time.
std::vector<const plan::Layer*> layers_on(const plan::Plan& plan, ir::Device device) {
  std::vector<const plan::Layer*> layers;
  for (const plan::Layer& layer : plan.metadata.layers)
    if (!layer.step.empty() && layer.device == device) layers.push_back(&layer);
  return layers;
}

/// Logs each line of @p text as a line of its own.
void log_lines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    log::info("{}", text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

/// What a plan remembers of its placement; advice takes the model. A layer with findings is one
/// that somebody wished on the DLA.
place::Explanation remembered(const plan::Plan& plan) {
  place::Explanation explanation;
  for (const plan::Layer& layer : plan.metadata.layers) {
    if (layer.step.empty()) continue;
    place::LayerExplanation& each = explanation.layers.emplace_back();
    each.layer = layer.name;
    each.type = layer.type;
    each.device = layer.device;
    each.wish = layer.findings.empty() ? layer.device : ir::Device::Dla;
    each.precision = layer.precision;
    if (layer.device == ir::Device::Dla) each.segment = layer.step;
    each.findings = layer.findings;
  }
  explanation.notes = plan.metadata.notes;
  return explanation;
}

/// Writes @p text() to the file of @p flag when that was given.
template <class Text>
void export_file(const Settings& settings, Flag flag, Text&& text) {
  if (settings.given(flag)) write_file(settings.text(flag), text());
}

void dump_raw_bindings(const Inference& inference) {
  log::info("Dumping I/O Bindings to RAW Files:");
  const auto dump = [](const report::NamedTensor& binding, bool is_input) {
    const std::string path = report::raw_binding_name(binding, is_input);
    log::info("Writing file for {} binding {}: {}", is_input ? "input" : "output", binding.name,
              path);
    const auto bytes = binding.tensor.bytes();
    write_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  for (const auto& binding : inference.inputs()) dump(binding, true);
  for (const auto& binding : inference.outputs()) dump(binding, false);
}

std::string timeline_note(const std::optional<run::Board>& board, const bench::Profile& profile) {
  if (!board) return "";
  return format("{} for {}", report::division_of_time(profile), run::to_text(*board));
}

/// Nothing disturbs what is modelled.
std::vector<std::string> disturbances(const Inference& inference) {
  const auto& steps = inference.engine().steps();
  const bool measures = std::any_of(steps.begin(), steps.end(), [](const run::Step& step) {
    return step.kind == run::Kind::Measured;
  });
  return measures ? inference.conditions().sentences() : std::vector<std::string>();
}

/// trtexec prints every average up to 8.6, and 400 at most from 9 on, which is what people can
/// read.
size_t trace_lines(const Settings& settings) {
  return settings.dialect() == Dialect::Release8_6 ? 0 : 400;
}

void report_performance(const Reporter& reporter, const Inference& inference,
                        const bench::Result& result) {
  const bench::Profile profile = bench::profile(result, inference.engine().steps());
  report::print_performance(
      result, {reporter.job.average_runs, reporter.job.percentiles,
               timeline_note(inference.engine().board(), profile), report::error_note(profile),
               disturbances(inference), trace_lines(reporter.settings)});
  export_file(reporter.settings, Flag::exportTimes, [&] { return report::times_json(result); });
}

/// trtexec's profiler slows the run it is attached to, so that such a run has no summary; here the
/// same rule holds, for scripts that count on it.
void refuse_performance(const Settings& settings) {
  log::info(
      "The e2e network timing is not reported since it is inaccurate due to the extra "
      "synchronizations when the profiler is enabled.");
  log::info(
      "To show e2e network timing report, add --separateProfileRun to profile layer timing in "
      "a separate run or remove --dumpProfile to disable the profiler.");
  if (settings.given(Flag::exportTimes))
    log::warning(
        "--exportTimes is not written with a profile in the same run; add "
        "--separateProfileRun");
}

std::string samples_npy(const bench::Result& result) {
  const std::vector<float> samples = bench::series(result, &bench::Query::latency_ms);
  return ir::write_npy(ir::Tensor::of<float>({static_cast<int64_t>(samples.size())}, samples));
}

}  // namespace

void Reporter::placement(const plan::Plan& plan) const {
  const size_t dla = layers_on(plan, ir::Device::Dla).size();
  const size_t gpu = layers_on(plan, ir::Device::Gpu).size();
  if (plan::uses_dla(plan))
    log::info("Placement: {} of {} layers on the DLA in {} loadable{}, {} on the GPU", dla,
              dla + gpu, plan.loadables.size(), plan.loadables.size() == 1 ? "" : "s", gpu);
  if (settings.given(Flag::explain) && !job.builds()) explanation(remembered(plan));
}

void Reporter::explanation(const place::Explanation& explanation) const {
  const log::Speaking program(log::Voice::Program);  // also when the builder calls it
  const std::string path = settings.text(Flag::explain);
  if (path.empty()) return log_lines(place::explanation_text(explanation));
  write_file(path, place::explanation_json(explanation));
}

void Reporter::layers(const plan::Plan& plan) const {
  if (settings.on(Flag::dumpLayerInfo)) report::print_layer_info(plan);
  export_file(settings, Flag::exportLayerInfo, [&] { return report::layer_info_json(plan); });
  if (!settings.on(Flag::dumpOptimizationProfile)) return;
  for (const plan::ShapeRange& range : plan.metadata.shapes)
    log::info("Model input {} (profile {}): min={}, opt={}, max={}", range.input, range.profile,
              ir::to_text(range.min), ir::to_text(range.opt), ir::to_text(range.max));
}

void Reporter::run(const Inference& inference, const bench::Result& result,
                   const bench::Result* profiled) const {
  if (job.profiles && !job.separate_profile_run)
    refuse_performance(settings);
  else
    report_performance(*this, inference, result);
  if (settings.on(Flag::dumpOutput)) report::print_outputs(inference.outputs());
  export_file(settings, Flag::exportOutput,
              [&] { return report::outputs_json(inference.outputs()); });
  export_file(settings, Flag::exportSamples, [&] { return samples_npy(result); });
  if (settings.on(Flag::dumpRawBindingsToFile)) dump_raw_bindings(inference);
  if (profiled == nullptr) return;
  const bench::Profile profile = bench::profile(*profiled, inference.engine().steps());
  std::vector<report::DlaStep> inside;
  if (settings.on(Flag::profileDlaOperations)) inside = report::dla_steps(inference.engine());
  if (settings.on(Flag::dumpProfile)) report::print_profile(profile, inside);
  export_file(settings, Flag::exportProfile, [&] { return report::profile_json(profile, inside); });
  if (settings.on(Flag::dumpProfile) && !inside.empty())
    log_lines(report::dla_operations_text(inside, *inference.engine().board()));
}

std::string Reporter::summary(const ReadyPlan& ready, const plan::Plan& plan,
                              const Inference* inference, const bench::Result* result,
                              const Gates& gates) const {
  report::Run run;
  run.command = command;
  for (const Given& given : settings.in_order())
    run.options.emplace_back(info(given.flag).name, given.value);
  run.plan = &plan;
  run.plan_bytes =
      ready.file_bytes != 0 ? ready.file_bytes : static_cast<int64_t>(plan::bytes_in_file(plan));
  run.build_s = ready.seconds;
  run.result = result;
  if (inference != nullptr) {
    run.steps = &inference->engine().steps();
    run.conditions = inference->conditions();
    run.board = inference->engine().board();
  } else if (plan::uses_dla(plan)) {
    run.board = run::board_of(plan.metadata, job.inference.engine.board);
  }
  run.percentiles = job.percentiles;
  run.machine = machine;
  if (accuracy) run.accuracy = &*accuracy;
  run.gates = gates;
  return report::summary_json(run);
}

void Reporter::other_tools(const bench::Result& result) const {
  const std::string name = std::filesystem::path(job.subject()).filename();
  export_file(settings, Flag::exportGoogleBenchmark, [&] {
    return report::google_benchmark_json(result, name, command.front(), machine);
  });
  export_file(settings, Flag::exportBencher, [&] { return report::bencher_json(result, name); });
}

}  // namespace dlaexec::cli
