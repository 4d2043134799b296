#include "report/benchmark_formats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/json_schema.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;
using testing::IsEmpty;

bench::Result result_of(size_t count) {
  bench::Result result;
  for (size_t i = 0; i < count; ++i) {
    const double start = 3.0 * static_cast<double>(i), end = start + 2 + (i % 2 == 0 ? 0 : 1);
    result.queries.push_back({start, start, start, start, start, end, end, end});
  }
  return result;
}

// What Google Benchmark's tools/compare.py reads, as its reporter writes it.
const json kGoogleBenchmark = R"({
 "type": "object", "required": ["context", "benchmarks"], "additionalProperties": false,
 "properties": {
  "context": {"type": "object", "required": ["date", "host_name", "executable", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled", "caches", "load_avg", "library_build_type"],
   "properties": {"num_cpus": {"type": "integer"}, "caches": {"type": "array"}, "load_avg": {"type": "array", "items": {"type": "number"}}, "cpu_scaling_enabled": {"type": "boolean"}}},
  "benchmarks": {"type": "array", "minItems": 1, "items": {
   "type": "object", "required": ["name", "run_name", "run_type", "repetitions", "threads", "iterations", "real_time", "cpu_time", "time_unit"],
   "properties": {"name": {"type": "string"}, "run_type": {"enum": ["iteration", "aggregate"]}, "iterations": {"type": "integer", "minimum": 1},
    "real_time": {"type": "number"}, "cpu_time": {"type": "number"}, "time_unit": {"enum": ["ns", "us", "ms", "s"]}}}}
 }})"_json;

// Bencher Metric Format: benchmark, measure, value with optional bounds.
const json kBencher = R"({
 "type": "object", "additionalProperties": {
  "type": "object", "additionalProperties": {
   "type": "object", "required": ["value"], "additionalProperties": false,
   "properties": {"value": {"type": "number"}, "lower_value": {"type": "number"}, "upper_value": {"type": "number"}}}}})"_json;

TEST(GoogleBenchmark, HasARepetitionPerSampleAndTheAggregates) {
  const json read =
      json::parse(google_benchmark_json(result_of(20), "net.onnx", "dlaexec", Machine{}));
  EXPECT_THAT(test::violations(read, kGoogleBenchmark), IsEmpty());
  ASSERT_EQ(read["benchmarks"].size(), 24u);
  EXPECT_EQ(read["benchmarks"][1]["real_time"], 3);
  EXPECT_EQ(read["benchmarks"][1]["repetition_index"], 1);
  EXPECT_EQ(read["benchmarks"][20]["name"], "net.onnx_mean");
  EXPECT_EQ(read["benchmarks"][20]["real_time"], 2.5);
  EXPECT_EQ(read["benchmarks"][23]["aggregate_unit"], "percentage");
}

TEST(GoogleBenchmark, KeepsNoMoreThanAFewHundredRepetitions) {
  const json read =
      json::parse(google_benchmark_json(result_of(2000), "net.onnx", "dlaexec", Machine{}));
  EXPECT_EQ(read["benchmarks"].size(), 404u);
}

TEST(Bencher, HasLatencyInNanosecondsWithItsInterval) {
  const json read = json::parse(bencher_json(result_of(100), "net \"1\".onnx"));
  EXPECT_THAT(test::violations(read, kBencher), IsEmpty());
  const json& latency = read["net \"1\".onnx"]["latency"];
  EXPECT_EQ(latency["value"], 2.5e6);
  EXPECT_EQ(latency["lower_value"], 2e6);
  EXPECT_EQ(latency["upper_value"], 3e6);
  EXPECT_NEAR(read["net \"1\".onnx"]["throughput"]["value"].get<double>(), 1000.0 / 3, 1);
}

}  // namespace
}  // namespace dlaexec::report
