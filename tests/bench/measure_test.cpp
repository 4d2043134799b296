#include "bench/measure.h"

#include <algorithm>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/log.h"
#include "bench/figures.h"

namespace dlaexec::bench {
namespace {

using run::Nanoseconds;
using run::TimelineKind;
using testing::HasSubstr;
using namespace std::chrono_literals;

/// A clock that moves when somebody says so.
struct ScriptedClock {
  Nanoseconds now{0};
  Clock clock() {
    return {[this] { return now; }, [this](Nanoseconds time) { now += time; }};
  }
};

const std::vector<run::Step> kDlaThenHost = {
    {"dla", "DLA", {"a"}, run::Processor::Dla, run::Kind::Modelled},
    {"host", "POOLING", {"b"}, run::Processor::Host, run::Kind::Measured}};

/// A DLA step, then a host step, one after the other.
run::Timeline composed(Nanoseconds dla, Nanoseconds host) {
  return {TimelineKind::Composed, {{0ms, dla, 0ms}, {dla, host, host}}, dla + host, host + 1us};
}

Options options(int64_t iterations, double duration_ms, double warm_up_ms) {
  Options options;
  options.limits = {iterations, duration_ms, warm_up_ms};
  return options;
}

Result measure_composed(size_t streams, const Options& options) {
  ScriptedClock scripted;
  const std::vector<Stream> executes(streams, [&] {
    scripted.now += 1us;
    return composed(6ms, 4ms);
  });
  return measure(executes, kDlaThenHost, options, scripted.clock());
}

TEST(Measure, StreamsQueueOnACoreAndTakeTurnsOnSeveral) {
  // 6 ms on the DLA and 4 ms on the host a query: one core limits two streams, two cores do not.
  const auto rate = [](size_t streams, int cores) {
    Options wanted = options(200, 0, 0);
    wanted.dla_cores = cores;
    return figures(measure_composed(streams, wanted), {}).throughput_qps;
  };
  EXPECT_NEAR(rate(1, 1), 100, 1);
  EXPECT_NEAR(rate(2, 1), 1000 / 6.0, 2);
  EXPECT_NEAR(rate(2, 2), 200, 2);
  EXPECT_NEAR(rate(4, 2), 250, 3);  // now the host limits
}

TEST(Measure, NeighboursQueueOnTheCoreOrHaveOneOfTheirOwn) {
  // Both want the core for 6 ms: they take turns, and this one's 4 ms on the host pass meanwhile.
  Options wanted = options(200, 0, 0);
  wanted.neighbours = {{[] {
                          return run::Timeline{TimelineKind::Composed, {{0ms, 6ms, 0ms}}, 6ms};
                        },
                        {kDlaThenHost.front()}}};
  const Result queued = measure_composed(1, wanted);
  EXPECT_NEAR(figures(queued, {}).throughput_qps, 1000 / 12.0, 1);
  EXPECT_NEAR(queued.neighbours.at(0).throughput_qps(), 1000 / 12.0, 1);
  wanted.dla_cores = 2;
  const Result apart = measure_composed(1, wanted);
  EXPECT_NEAR(figures(apart, {}).throughput_qps, 100, 1);
  EXPECT_NEAR(apart.neighbours.at(0).throughput_qps(), 1000 / 6.0, 2);
}

TEST(Measure, NeighbourWithoutWorkDoesNotHoldUpMeasuring) {
  Options wanted = options(10, 0, 0);
  wanted.neighbours = {{[] { return run::Timeline{TimelineKind::Composed, {}, 0ms}; }, {}}};
  EXPECT_NEAR(figures(measure_composed(1, wanted), {}).throughput_qps, 100, 1);
}

TEST(Measure, QueriesOfAStreamFollowEachOtherWithoutGaps) {
  const Result r = measure_composed(1, options(10, 0, 0));
  EXPECT_EQ(r.timeline, TimelineKind::Composed);
  ASSERT_EQ(r.queries.size(), 10u);
  for (size_t i = 0; i < r.queries.size(); ++i) {
    EXPECT_DOUBLE_EQ(r.queries[i].start_compute_ms, 10.0 * static_cast<double>(i));
    EXPECT_FLOAT_EQ(r.queries[i].compute_ms(), 10);
    EXPECT_NEAR(r.queries[i].enqueue_ms(), 0.001, 1e-6);
  }
  const Figures f = figures(r, std::vector<float>{99});
  EXPECT_NEAR(f.throughput_qps, 100, 1e-6);
  EXPECT_NEAR(f.host_walltime_s, 0.1, 1e-9);
  EXPECT_NEAR(f.total_compute_s, 0.1, 1e-6);
  EXPECT_EQ(f.latency.median, 10);
}

TEST(Measure, CountsDurationOnTheTimelineAfterTheWarmUp) {
  const Result r = measure_composed(1, options(0, 1000, 200));
  EXPECT_EQ(r.warm_up_queries, 20u);  // those that start at 0 to 190 ms
  // It ends when a finished query started at 1200 ms; the one after it is under way and counts.
  EXPECT_EQ(r.queries.size(), 122u);
  EXPECT_EQ(r.timed().front().start_compute_ms, 200);
}

TEST(Measure, StreamsShareTheProcessors) {
  const Result r = measure_composed(2, options(50, 0, 0));
  const Figures f = figures(r, {});
  // While one stream's query is on the host, the other's is on the DLA: 6 ms a query, not 10.
  EXPECT_NEAR(f.throughput_qps, 1000 / 6.0, 4);
  EXPECT_GT(f.compute.median, 10);  // waiting for the DLA is part of it
}

TEST(Measure, MoreStreamsCannotBeatTheBusiestProcessor) {
  EXPECT_LE(figures(measure_composed(4, options(50, 0, 0)), {}).throughput_qps, 1000 / 6.0 + 1e-6);
}

TEST(Measure, IdleTimeSpacesTheQueries) {
  Options spaced = options(5, 0, 0);
  spaced.idle_ms = 500;
  spaced.expose_transfers = true;
  const Result r = measure_composed(1, spaced);
  ASSERT_EQ(r.queries.size(), 5u);
  EXPECT_DOUBLE_EQ(r.queries[1].start_compute_ms, 510);
  EXPECT_DOUBLE_EQ(r.queries[4].start_compute_ms, 4 * 510);
}

TEST(Measure, WarmUpHasNoIdleTime) {
  Options spaced = options(4, 0, 100);
  spaced.idle_ms = 500;
  spaced.expose_transfers = true;
  const Result r = measure_composed(1, spaced);
  ASSERT_EQ(r.queries.size(), 13u);  // 9 of the warm-up's queries do not count as iterations
  EXPECT_DOUBLE_EQ(r.queries[10].start_compute_ms, 100);
  EXPECT_DOUBLE_EQ(r.queries[11].start_compute_ms, 610);
}

TEST(Measure, WallTimelinesTakeTheirStartsFromTheClock) {
  ScriptedClock scripted;
  const std::vector<run::Step> steps = {{"host", "CONVOLUTION", {"a"}}};
  const std::vector<Stream> executes = {[&] {
    scripted.now += 3ms;
    return run::Timeline{TimelineKind::Wall, {{0ms, 2ms, 2ms}}, 2ms, 3ms};
  }};
  const Result r = measure(executes, steps, options(4, 0, 0), scripted.clock());
  ASSERT_EQ(r.queries.size(), 4u);
  EXPECT_DOUBLE_EQ(r.queries[3].start_compute_ms, 9);
  EXPECT_FLOAT_EQ(r.queries[3].compute_ms(), 2);
  EXPECT_FLOAT_EQ(r.queries[3].enqueue_ms(), 1);
  EXPECT_DOUBLE_EQ(r.wall_s, 0.012);
}

/// Queries that take 1 ms to copy in, 2 ms to compute and 1 ms to copy out, on a device where each
/// of the three goes on by itself.
struct ScriptedDevice {
  explicit ScriptedDevice(ScriptedClock& clock) : host(clock) {}

  ScriptedClock& host;
  Nanoseconds copied_in{0}, computed{0}, copied_out{0};
  std::deque<run::QueryTimes> under_way;
  size_t most_under_way = 0;

  Stream stream() {
    return Overlapped{[this] { start(); }, [this] { return finish(); }};
  }
  void start() {
    run::QueryTimes query;
    query.start_enqueue = host.now;
    query.end_enqueue = host.now += 10us;
    query.start_h2d = std::max(copied_in, host.now);
    query.end_h2d = copied_in = query.start_h2d + 1ms;
    query.start_compute = std::max(computed, copied_in);
    query.end_compute = computed = query.start_compute + 2ms;
    query.start_d2h = std::max(copied_out, computed);
    query.end_d2h = copied_out = query.start_d2h + 1ms;
    query.steps = {2ms};
    under_way.push_back(query);
    most_under_way = std::max(most_under_way, under_way.size());
  }
  run::QueryTimes finish() {
    const run::QueryTimes query = under_way.front();
    under_way.pop_front();
    host.now = std::max(host.now, query.end_d2h);
    return query;
  }
};

TEST(Measure, CopiesRunBesideTheComputingOfAnotherQueryUnlessExposed) {
  const std::vector<run::Step> steps = {{"gpu", "CONVOLUTION", {"a"}, run::Processor::Gpu}};
  const auto measured = [&](bool exposed) {
    ScriptedClock clock;
    ScriptedDevice device(clock);
    Options wanted = options(100, 0, 0);
    wanted.expose_transfers = exposed;
    const Result r = measure({device.stream()}, steps, wanted, clock.clock());
    EXPECT_TRUE(device.under_way.empty());
    EXPECT_EQ(device.most_under_way, exposed ? 1u : 2u);
    EXPECT_GE(r.queries.size(), 100u);
    EXPECT_EQ(r.step_ms[0].size(), r.queries.size());
    EXPECT_FLOAT_EQ(r.queries[50].latency_ms(), 4);
    EXPECT_FLOAT_EQ(r.queries[50].enqueue_ms(), 0.01f);
    return figures(r, {}).throughput_qps;
  };
  EXPECT_NEAR(measured(true), 1000 / 4.0, 5);
  EXPECT_NEAR(measured(false), 1000 / 2.0, 10);
}

TEST(Measure, EndsAfterTheMostWallTimeWithAWarning) {
  log::Capture capture;
  ScriptedClock scripted;
  const std::vector<Stream> slow = {[&] {
    scripted.now += 20s;  // emulating takes so long
    return composed(6ms, 4ms);
  }};
  const Result r = measure(slow, kDlaThenHost, options(10, 3000, 0), scripted.clock());
  EXPECT_EQ(r.end, End::WallTime);
  EXPECT_EQ(r.queries.size(), 3u);
  EXPECT_THAT(capture.text(), HasSubstr("[W] Measuring ended after 60 s of real time with 3"));
}

TEST(Measure, WarmUpThatIsCutShortIsReportedAfterAll) {
  log::Capture capture;
  ScriptedClock scripted;
  const std::vector<Stream> slow = {[&] {
    scripted.now += 100s;
    return composed(6ms, 4ms);
  }};
  const Result r = measure(slow, kDlaThenHost, options(10, 3000, 200), scripted.clock());
  EXPECT_EQ(r.timed().size(), 1u);
  EXPECT_THAT(capture.text(), HasSubstr("cut short"));
}

TEST(Measure, NothingToMeasureIsAnError) {
  EXPECT_THROW(measure_composed(1, options(0, 0, 0)), Error);
}

TEST(Measure, EndsWhenStable) {
  log::Capture capture;
  Options stable = options(10, 1e9, 0);
  stable.until_stable = Stability{0.01, 0, 1e9};
  const Result r = measure_composed(1, stable);
  EXPECT_EQ(r.end, End::Stable);
  EXPECT_LT(r.queries.size(), 80u);
  EXPECT_GE(r.queries.size(), 50u);
}

TEST(Measure, IsStableNoEarlierThanAsked) {
  log::Capture capture;
  Options stable = options(10, 1e9, 0);
  stable.until_stable = Stability{0.01, 5000, 1e9};
  const Result r = measure_composed(1, stable);
  EXPECT_EQ(r.end, End::Stable);
  EXPECT_GE(r.timed().back().start_compute_ms, 4900);
}

TEST(Measure, GivesUpOnStabilityWithAWarning) {
  log::Capture capture;
  Options stable = options(10, 1e9, 0);
  stable.until_stable = Stability{0.01, 0, 3000};
  int count = 0;
  ScriptedClock scripted;
  const std::vector<Stream> unsteady = {
      [&] { return ++count % 3 == 0 ? composed(6ms, 4ms) : composed(60ms, 40ms); }};
  const Result r = measure(unsteady, kDlaThenHost, stable, scripted.clock());
  EXPECT_EQ(r.end, End::Unstable);
  EXPECT_THAT(capture.text(), HasSubstr("after 3 s, --untilStable asks for 1 %"));
}

TEST(Measure, EndsWhenInterruptedAndKeepsWhatThereIs) {
  log::Capture capture;
  std::atomic<bool> interrupt = false;
  int count = 0;
  Options endless = options(0, 0, 0);
  endless.limits.endless = true;
  endless.interrupt = &interrupt;
  ScriptedClock scripted;
  const std::vector<Stream> executes = {[&] {
    if (++count == 7) interrupt = true;
    return composed(6ms, 4ms);
  }};
  const Result r = measure(executes, kDlaThenHost, endless, scripted.clock());
  EXPECT_EQ(r.end, End::Interrupted);
  EXPECT_EQ(r.queries.size(), 7u);
}

TEST(Measure, AnInterruptBeforeTheFirstQueryWaitsForOne) {
  log::Capture capture;
  const std::atomic<bool> interrupt = true;
  Options endless = options(0, 0, 0);
  endless.limits.endless = true;
  endless.interrupt = &interrupt;
  const Result r = measure_composed(1, endless);
  EXPECT_EQ(r.end, End::Interrupted);
  EXPECT_GE(r.queries.size(), 1u);
  EXPECT_LE(r.queries.size(), 2u);
}

TEST(Figures, ProfileCountsEveryQueryOfEveryStep) {
  const Result r = measure_composed(1, options(10, 0, 0));
  const Profile p = profile(r, kDlaThenHost);
  EXPECT_EQ(p.iterations, 10u);
  ASSERT_EQ(p.layers.size(), 2u);
  EXPECT_EQ(p.layers[0].name, "dla");
  EXPECT_NEAR(p.layers[0].total_ms, 60, 1e-4);
  EXPECT_NEAR(p.layers[0].percentage, 60, 1e-4);
  EXPECT_EQ(p.layers[0].kind, run::Kind::Modelled);
  EXPECT_NEAR(p.layers[1].median_ms, 4, 1e-6);
}

TEST(Figures, ProfileOfStepsWithoutTimeHasNoPercentages) {
  Result r;
  r.queries.resize(1);
  r.step_ms = {{0.f}};
  EXPECT_EQ(profile(r, {kDlaThenHost[0]}).layers[0].percentage, 0);
}

}  // namespace
}  // namespace dlaexec::bench
