#include "report/benchmark_formats.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/figures.h"
#include "measure/interval.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kKeptRepetitions = 400;

/// What all entries of a benchmark have in common; Google Benchmark has no entries without CPU
/// time, and a query that waits for an engine has none of its own: its real time stands for it.
Json entry(const std::string& name, const std::string& suffix, size_t repetitions, double value) {
  return {{"name", name + suffix},
          {"family_index", 0},
          {"per_family_instance_index", 0},
          {"run_name", name},
          {"run_type", suffix.empty() ? "iteration" : "aggregate"},
          {"repetitions", repetitions},
          {"threads", 1},
          {"iterations", suffix.empty() ? size_t{1} : repetitions},
          {"real_time", value},
          {"cpu_time", value},
          {"time_unit", "ms"}};
}

Json aggregate(const std::string& name, const std::string& what, size_t repetitions, double value,
               const char* unit) {
  Json json = entry(name, "_" + what, repetitions, value);
  json["aggregate_name"] = what;
  json["aggregate_unit"] = unit;
  return json;
}

Json context_json(const std::string& program, const Machine& machine) {
  return {{"date", utc_now()},
          {"host_name", ""},
          {"executable", program},
          {"num_cpus", machine.cores},
          {"cpu_name", machine.cpu},
          {"mhz_per_cpu", 0},
          {"cpu_scaling_enabled", !machine.governor.empty() && machine.governor != "performance"},
          {"caches", Json::array()},
          {"load_avg", {machine.load}},
          {"library_build_type", "release"}};
}

std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string google_benchmark_json(const bench::Result& result, const std::string& name,
                                  const std::string& program, const Machine& machine) {
  const std::vector<float> samples = bench::series(result, &bench::Query::latency_ms);
  const bench::Figures figures = bench::figures(result, {});
  const size_t count = std::min(samples.size(), kKeptRepetitions);
  Json benchmarks = Json::array();
  for (size_t i = 0; i < count; ++i) {
    Json json = entry(name, "", count, samples[i * samples.size() / count]);
    json["repetition_index"] = i;
    json["items_per_second"] = figures.throughput_qps;
    benchmarks.push_back(std::move(json));
  }
  const double variation = figures.latency.coefficient_of_variance / 100;
  benchmarks.push_back(aggregate(name, "mean", count, figures.latency.mean, "time"));
  benchmarks.push_back(aggregate(name, "median", count, figures.latency.median, "time"));
  benchmarks.push_back(aggregate(name, "stddev", count, variation * figures.latency.mean, "time"));
  benchmarks.push_back(aggregate(name, "cv", count, variation, "percentage"));
  return dump({{"context", context_json(program, machine)}, {"benchmarks", benchmarks}});
}

std::string bencher_json(const bench::Result& result, const std::string& name) {
  constexpr double kNsPerMs = 1e6;
  const std::vector<float> samples = bench::series(result, &bench::Query::latency_ms);
  const measure::Interval interval = measure::median_interval(samples);
  const bench::Figures figures = bench::figures(result, {});
  return dump({{name,
                {{"latency",
                  {{"value", interval.estimate * kNsPerMs},
                   {"lower_value", interval.low * kNsPerMs},
                   {"upper_value", interval.high * kNsPerMs}}},
                 {"throughput", {{"value", figures.throughput_qps}}}}}});
}

}  // namespace dlaexec::report
