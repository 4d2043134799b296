#include "report/performance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Queries of 2 ms each without gaps; the first @p warm_up of them belong to the warm-up.
bench::Result steady_result(size_t count, size_t warm_up) {
  bench::Result result;
  result.warm_up_queries = warm_up;
  result.warm_up_ms = 200;
  for (size_t i = 0; i < count; ++i) {
    const double start = 2.0 * static_cast<double>(i), end = start + 2;
    result.queries.push_back({start, start + 0.25, start, start, start, end, end, end});
  }
  return result;
}

std::string report_of(const bench::Result& result, std::vector<float> percentiles = {90, 99.5f},
                      size_t trace_lines = 0) {
  log::Capture capture;
  print_performance(result, {2, std::move(percentiles), "dla 100 % modelled", "", {}, trace_lines});
  return capture.text();
}

TEST(Number, IsWrittenAsStreamsWriteFloats) {
  EXPECT_EQ(number(1.5f), "1.5");
  EXPECT_EQ(number(0.0117188f), "0.0117188");
  EXPECT_EQ(number(3.f), "3");
  EXPECT_EQ(number(0.f), "0");
  EXPECT_EQ(number(1.29477e+08f), "1.29477e+08");
  EXPECT_EQ(number(999999.f), "999999");
  EXPECT_EQ(number(1000000.f), "1e+06");
  EXPECT_EQ(number(0.00001234f), "1.234e-05");
  EXPECT_EQ(json_number(1.0 / 0.0, 6), "null");
}

TEST(Performance, LeavesOutTheMiddleOfALongTrace) {
  const auto lines = [](const std::string& text) {
    size_t count = 0;
    for (size_t at = text.find("Average on"); at != std::string::npos; ++count)
      at = text.find("Average on", at + 1);
    return count;
  };
  const bench::Result result = steady_result(20, 0);  // ten averages of two queries
  EXPECT_EQ(lines(report_of(result, {90}, 4)), 4u);
  EXPECT_THAT(report_of(result, {90}, 4), HasSubstr("[I] ... Omitting 12 lines\n"));
  EXPECT_EQ(lines(report_of(result, {90}, 10)), 10u);
  EXPECT_THAT(report_of(result, {90}, 10), Not(HasSubstr("Omitting")));
}

TEST(Performance, IsReportedLineByLineAsTrtexecDoes) {
  const std::string text = report_of(steady_result(7, 2));
  const std::string expected =
      "[I] Warmup completed 2 queries over 200 ms\n"
      "[I] Timing trace has 5 queries over 0.01 s\n"
      "[I] \n"
      "[I] === Trace details ===\n"
      "[I] Trace averages of 2 runs:\n"
      "[I] Average on 2 runs - GPU latency: 2 ms - Host latency: 2 ms (enqueue 0.25 ms)\n"
      "[I] Average on 2 runs - GPU latency: 2 ms - Host latency: 2 ms (enqueue 0.25 ms)\n"
      "[I] \n"
      "[I] === Performance summary ===\n"
      "[I] Throughput: 500 qps\n"
      "[I] Latency: min = 2 ms, max = 2 ms, mean = 2 ms, median = 2 ms, percentile(90%) = 2 ms, "
      "percentile(99.5%) = 2 ms\n"
      "[I] Enqueue Time: min = 0.25 ms, max = 0.25 ms, mean = 0.25 ms, median = 0.25 ms, "
      "percentile(90%) = 0.25 ms, percentile(99.5%) = 0.25 ms\n"
      "[I] H2D Latency: min = 0 ms, max = 0 ms, mean = 0 ms, median = 0 ms, percentile(90%) = 0 "
      "ms, "
      "percentile(99.5%) = 0 ms\n"
      "[I] GPU Compute Time: min = 2 ms, max = 2 ms, mean = 2 ms, median = 2 ms, "
      "percentile(90%) = 2 ms, percentile(99.5%) = 2 ms\n"
      "[I] D2H Latency: min = 0 ms, max = 0 ms, mean = 0 ms, median = 0 ms, percentile(90%) = 0 "
      "ms, "
      "percentile(99.5%) = 0 ms\n"
      "[I] Total Host Walltime: 0.01 s\n"
      "[I] Total GPU Compute Time: 0.01 s\n"
      "[I] Explanations of the performance metrics are printed in the verbose logs.\n"
      "[V] \n"
      "[V] === Explanations of the performance metrics ===\n";
  EXPECT_EQ(text.substr(0, expected.size()), expected);
  EXPECT_TRUE(text.ends_with("[I] \n"));
  EXPECT_THAT(text, Not(HasSubstr("[W]")));
}

TEST(Performance, SaysWhatMakesTheSamplesDoubtful) {
  bench::Result result = steady_result(100, 0);
  for (size_t i = 60; i < 100; ++i) result.queries[i].end_compute_ms += 1;  // throttled
  log::Capture capture;
  print_performance(result, {2, {90}, "", "", {"other programs kept 1.5 cores busy"}, 0});
  EXPECT_THAT(capture.text(), HasSubstr("[W] * Latency: times changed by +50.0 % at query 60"));
  EXPECT_THAT(capture.text(), HasSubstr("[W] * Machine: other programs kept 1.5 cores busy."));
}

TEST(Performance, SaysWhatIsModelledWhenTheTimelineIsComposed) {
  bench::Result result = steady_result(7, 2);
  result.timeline = run::TimelineKind::Composed;
  EXPECT_THAT(report_of(result),
              HasSubstr("[I] Timeline: composed: dla 100 % modelled; measuring"));
}

/// A DLA step, a format change before it, and a host step behind it.
bench::Profile mixed_profile(std::optional<double> dla_error) {
  using run::Kind, run::Processor;
  bench::Profile profile;
  profile.layers = {{"reformat", Processor::Host, Kind::Modelled, 1, 1, 1, 10, std::nullopt},
                    {"{ForeignNode[a]}", Processor::Dla, Kind::Modelled, 5, 5, 5, 50, dla_error},
                    {"softmax", Processor::Host, Kind::Measured, 4, 4, 4, 40, std::nullopt}};
  return profile;
}

TEST(Performance, SaysHowFarOffModelledTimesAre) {
  EXPECT_EQ(modelled_error(mixed_profile(0.08)), 0.04);  // half of the time is modelled
  EXPECT_EQ(error_note(mixed_profile(0.08)),
            "Modelled times are part of all figures but Enqueue Time: +-4 %, the mean "
            "error on networks that the model was not fitted to");
  EXPECT_EQ(modelled_error(mixed_profile(std::nullopt)), std::nullopt);
  EXPECT_THAT(error_note(mixed_profile(std::nullopt)), HasSubstr("error unknown"));
  bench::Profile measured = mixed_profile(0.08);
  measured.layers.erase(measured.layers.begin(), measured.layers.begin() + 2);
  EXPECT_EQ(error_note(measured), "");
  EXPECT_EQ(division_of_time(mixed_profile(0.08)),
            "host 40.0 % measured, host 10.0 % modelled, dla 50.0 % modelled (+-8 %)");
}

TEST(Performance, TheNoteStandsOverTheFigures) {
  log::Capture capture;
  print_performance(steady_result(4, 1), {2, {90}, "", "Modelled: +-7 %", {}});
  EXPECT_THAT(capture.text(),
              HasSubstr("=== Performance summary ===\n[I] Modelled: +-7 %\n[I] Throughput"));
}

TEST(Performance, WarnsOfAHostThatIsTheLimit) {
  bench::Result result = steady_result(7, 2);
  for (bench::Query& query : result.queries) query.end_enqueue_ms = query.start_enqueue_ms + 1.9;
  EXPECT_THAT(report_of(result), HasSubstr("[W] * Throughput may be bound by Enqueue Time"));
}

TEST(Performance, WarnsOfUnsteadyTimesAndOfStreams) {
  bench::Result result = steady_result(7, 2);
  result.queries[4].end_compute_ms += 0.3;
  result.streams = 2;
  const std::string text = report_of(result);
  EXPECT_THAT(text,
              HasSubstr("[W] * GPU compute time is unstable, with coefficient of variance = "));
  EXPECT_THAT(text, HasSubstr("[W] * Multiple inference streams are used."));
}

TEST(Performance, OneQueryIsEnough) {
  const std::string text = report_of(steady_result(1, 0));
  EXPECT_THAT(text, HasSubstr("Throughput: 500 qps"));
  EXPECT_THAT(text, Not(HasSubstr("Average on")));
}

}  // namespace
}  // namespace dlaexec::report
