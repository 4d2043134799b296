#include "report/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "build/metadata.h"
#include "dla/loadable.h"
#include "measure/diagnosis.h"
#include "measure/histogram.h"
#include "measure/interval.h"
#include "report/dla_operations.h"
#include "report/performance.h"
#include "report/plan_steps.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;

/// Samples kept for a later comparison: enough for a sharp verdict, few enough for a small file.
constexpr size_t kKeptSamples = 400;

std::string_view kind_text(bool is_modelled) {
  return ir::text(is_modelled ? run::Kind::Modelled : run::Kind::Measured);
}

/// Evenly spaced samples in their order.
Json kept_samples(std::span<const float> samples) {
  Json kept = Json::array();
  const size_t count = std::min(samples.size(), kKeptSamples);
  for (size_t i = 0; i < count; ++i) kept.push_back(samples[i * samples.size() / count]);
  return kept;
}

Json statistics_json(const measure::Statistics& statistics, std::string_view kind) {
  Json json = {{"kind", kind},
               {"min", statistics.min},
               {"max", statistics.max},
               {"mean", statistics.mean},
               {"median", statistics.median}};
  json["percentiles"] = Json::object();
  for (const measure::Percentile& p : statistics.percentiles)
    json["percentiles"]["p" + number(p.rank)] = p.value;
  json["coefficient_of_variance_percent"] = statistics.coefficient_of_variance;
  return json;
}

/// A figure with its samples, which a comparison needs.
Json series_json(const std::vector<float>& samples, std::span<const float> ranks,
                 std::string_view kind) {
  Json json = statistics_json(measure::summarize(samples, ranks), kind);
  json["samples"] = kept_samples(samples);
  return json;
}

Json histogram_json(const std::vector<float>& samples) {
  Json buckets = Json::array();
  for (const auto& bucket : measure::Histogram(samples).buckets())
    buckets.push_back({bucket.low, bucket.high, bucket.count});
  return buckets;
}

Json latency_json(const std::vector<float>& samples, std::span<const float> ranks,
                  std::string_view kind) {
  Json json = series_json(samples, ranks, kind);
  const measure::Interval interval = measure::median_interval(samples);
  json["median_low"] = interval.low;
  json["median_high"] = interval.high;
  json["remarks"] = measure::diagnose(samples).sentences();
  json["histogram"] = histogram_json(samples);
  return json;
}

/// In percent with one decimal.
Json error_percent(const std::optional<double>& error) {
  return error ? Json(std::round(1000 * *error) / 10) : Json(nullptr);
}

/// A time that contains modelled parts is modelled, and says how far off it is; what the host does
/// besides is always measured.
Json figures_json(const bench::Result& result, std::span<const float> ranks,
                  const bench::Profile& profile) {
  const bench::Figures figures = bench::figures(result, ranks);

  const auto kind = kind_text(result.timeline != run::TimelineKind::Wall);
  const auto measured = kind_text(false);
  const auto series = [&](float (bench::Query::*member)() const) {
    return bench::series(result, member);
  };
  Json json = {{"throughput_qps", {{"kind", kind}, {"value", figures.throughput_qps}}},
               {"latency_ms", latency_json(series(&bench::Query::latency_ms), ranks, kind)},
               {"compute_ms", series_json(series(&bench::Query::compute_ms), ranks, kind)},
               {"enqueue_ms", statistics_json(figures.enqueue, measured)},
               {"h2d_ms", statistics_json(figures.h2d, kind)},
               {"d2h_ms", statistics_json(figures.d2h, kind)},
               {"host_walltime_s", {{"kind", kind}, {"value", figures.host_walltime_s}}},
               {"total_compute_s", {{"kind", kind}, {"value", figures.total_compute_s}}},
               {"measuring_wall_s", {{"kind", measured}, {"value", result.wall_s}}}};
  if (const auto periods = bench::periods(result); !periods.empty())
    json["period_ms"] = series_json(periods, ranks, kind);
  for (auto& [name, figure] : json.items())
    if (figure["kind"] == kind_text(true))
      figure["error_percent"] = error_percent(modelled_error(profile));
  return json;
}

Json engines_json(const bench::Profile& profile) {
  struct Share {
    int steps = 0;
    double mean_ms = 0, percentage = 0;
  };
  std::map<std::pair<run::Processor, run::Kind>, Share> shares;
  for (const bench::LayerTime& layer : profile.layers) {
    Share& share = shares[{layer.processor, layer.kind}];
    ++share.steps;
    share.mean_ms += layer.mean_ms;
    share.percentage += layer.percentage;
  }
  Json engines = Json::array();
  for (const auto& [engine, share] : shares)
    engines.push_back({{"name", ir::text(engine.first)},
                       {"kind", ir::text(engine.second)},
                       {"steps", share.steps},
                       {"mean_ms", share.mean_ms},
                       {"share_percent", share.percentage}});
  return engines;
}

Json steps_json(const bench::Result& result, const std::vector<run::Step>& steps,
                const bench::Profile& profile) {
  Json json = Json::array();
  for (size_t i = 0; i < steps.size(); ++i) {
    const bench::LayerTime& time = profile.layers[i];
    Json step = {{"name", steps[i].name},
                 {"type", steps[i].type},
                 {"engine", ir::text(steps[i].processor)},
                 {"layers", steps[i].origins},
                 {"time_ms",
                  {{"kind", ir::text(steps[i].kind)},
                   {"mean", time.mean_ms},
                   {"median", time.median_ms},
                   {"total", time.total_ms}}},
                 {"share_percent", time.percentage}};
    if (steps[i].kind == run::Kind::Modelled)
      step["time_ms"]["error_percent"] = error_percent(steps[i].error);
    else
      step["time_ms"]["samples"] =
          kept_samples(std::span(result.step_ms[i]).subspan(result.warm_up_queries));
    json.push_back(std::move(step));
  }
  return json;
}

Json finding_json(const ir::Finding& finding) {
  return {{"rule", finding.rule},     {"effect", ir::text(finding.effect)},
          {"value", finding.value},   {"limit", finding.limit},
          {"reason", finding.reason}, {"source", finding.source}};
}

Json layers_json(const plan::Plan& plan) {
  Json layers = Json::array();
  for (const plan::Layer& layer : plan.metadata.layers) {
    Json reasons = Json::array();
    for (const ir::Finding& finding : layer.findings) reasons.push_back(finding_json(finding));
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"device", ir::text(layer.device)},
                      {"precision", ir::text(layer.precision)},
                      {"step", layer.step},
                      {"reasons", std::move(reasons)}});
  }
  return layers;
}

Json placement_json(const plan::Plan& plan) {
  const auto count = [&](ir::Device device) {
    return std::count_if(plan.metadata.layers.begin(), plan.metadata.layers.end(),
                         [&](const plan::Layer& layer) { return layer.device == device; });
  };
  return {{"dla_layers", count(ir::Device::Dla)},
          {"gpu_layers", count(ir::Device::Gpu)},
          {"loadables", plan.loadables.size()},
          {"layers", layers_json(plan)}};
}

Json loadable_json(const plan::Loadable& section, const DlaStep& step) {
  const dla::Loadable loadable = dla::deserialize(section.bytes, section.owner);
  return {{"name", section.name},
          {"size_bytes", section.bytes.size()},
          {"kind", kind_text(true)},
          {"time_ms", step.seconds * 1000},
          {"error_percent", error_percent(step.error)},
          {"pools",
           {{"sram_bytes", loadable.pools.sram},
            {"local_dram_bytes", loadable.pools.local},
            {"global_dram_bytes", loadable.pools.global}}},
          {"operations", Json::parse(dla_operations_json(step))}};
}

Json loadables_json(const plan::Plan& plan, const std::optional<run::Board>& board) {
  Json loadables = Json::array();
  if (!board) return loadables;
  for (const DlaStep& step : dla_steps(plan, *board)) {
    const auto& node = plan.graph.nodes[step.step].get<ir::ForeignNodeAttributes>();
    loadables.push_back(loadable_json(plan.loadables[static_cast<size_t>(node.loadable)], step));
  }
  return loadables;
}

/// What all loadables take of the memory pools together.
Json pools_total(const Json& loadables) {
  Json total = {{"sram_bytes", 0}, {"local_dram_bytes", 0}, {"global_dram_bytes", 0}};
  for (const Json& loadable : loadables)
    for (auto& [pool, bytes] : total.items())
      bytes = bytes.get<int64_t>() + loadable["pools"][pool].get<int64_t>();
  return total;
}

Json platform_json(const Run& run) {
  if (!run.board) return nullptr;
  return {{"name", run.board->platform->name},
          {"power_mode", run.board->mode->name},
          {"dla_core", run.plan->metadata.dla_core},
          {"dla_mhz", run.board->clock.clock_hz / 1e6},
          {"dram_gb_per_s", run.board->clock.dram_bytes_per_second / 1e9},
          {"busy_cores", run.board->clock.busy_cores}};
}

Json machine_json(const Machine& machine) {
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory_bytes},
          {"kernel", machine.kernel},
          {"governor", machine.governor},
          {"power_mode", machine.power_mode},
          {"load_1min", machine.load}};
}

Json conditions_json(const Conditions& conditions) {
  return {{"clock_mhz_before", conditions.clock_mhz_before},
          {"clock_mhz_after", conditions.clock_mhz_after},
          {"throttle_events", conditions.throttle_events},
          {"other_cores", conditions.other_cores},
          {"remarks", conditions.sentences()}};
}

Json pairs_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

/// Where INT8 ranges came from, and whether the outputs can mean anything; null without INT8.
Json quantization_json(const plan::Metadata& metadata) {
  Json json;
  for (const plan::Setting& setting : metadata.settings) {
    if (setting.name == build::kRangesSetting) {
      json["ranges"] = setting.value;
      json["accuracy_is_meaningless"] = setting.value == ir::text(quant::RangeSource::Fixed);
    }
    if (setting.name == build::kRangesFromSetting) json["from"] = setting.value;
    if (setting.name == build::kLiftedSetting) json["lifted"] = setting.value;
  }
  return json;
}

Json plan_json(const Run& run) {
  Json settings = Json::object();
  for (const plan::Setting& setting : run.plan->metadata.settings)
    settings[setting.name] = setting.value;
  int64_t weights = 0;
  for (const ir::Value& value : run.plan->graph.values)
    if (value.constant) weights += static_cast<int64_t>(value.constant->size_bytes());
  Json steps = Json::array();
  for (const PlanStep& step : plan_steps(*run.plan))
    steps.push_back({{"name", step.name},
                     {"type", step.type},
                     {"layers", step.layers},
                     {"precision", step.precision},
                     {"inputs", step.inputs},
                     {"outputs", step.outputs}});
  return {{"size_bytes", run.plan_bytes},     {"weights_bytes", weights},
          {"steps", std::move(steps)},        {"gpu_tactics", pairs_json(gpu_tactics(*run.plan))},
          {"ready_s", run.build_s},           {"settings", std::move(settings)},
          {"notes", run.plan->metadata.notes}};
}

void add_measurement(Json& json, const Run& run) {
  const bench::Result& result = *run.result;
  const bench::Profile profile = bench::profile(result, *run.steps);
  json["timeline"] = ir::text(result.timeline);
  json["measurement"] = {
      {"queries", result.timed().size()},    {"warm_up_queries", result.warm_up_queries},
      {"warm_up_ms", result.warm_up_ms},     {"streams", result.streams},
      {"ended_by", bench::text(result.end)}, {"conditions", conditions_json(run.conditions)}};
  json["figures"] = figures_json(result, run.percentiles, profile);
  json["engines"] = engines_json(profile);
  json["steps"] = steps_json(result, *run.steps, profile);
}

}  // namespace

std::string summary_json(const Run& run) {
  Json json = {
      {"schema_version", kSummaryVersion},
      {"tool", {{"name", "dlaexec"}, {"version", DLAEXEC_VERSION}}},
      {"created", utc_now()},
      {"command", run.command},
      {"options", pairs_json(run.options)},
      {"model", {{"name", run.plan->metadata.model}, {"hash", run.plan->metadata.model_hash}}},
      {"platform", platform_json(run)},
      {"machine", machine_json(run.machine)},
      {"peak_memory_bytes", peak_memory_bytes()}};
  if (run.result != nullptr) add_measurement(json, run);
  json["placement"] = placement_json(*run.plan);
  json["loadables"] = loadables_json(*run.plan, run.board);
  json["placement"]["pools"] = pools_total(json["loadables"]);
  json["plan"] = plan_json(run);
  json["quantization"] = quantization_json(run.plan->metadata);
  if (run.accuracy != nullptr) json["accuracy"] = Json::parse(accuracy_json(*run.accuracy));
  json["gates"] = Json::parse(gates_json(run.gates));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dlaexec::report
