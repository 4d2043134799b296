#include "measure/loop.h"

#include <gtest/gtest.h>

#include <vector>

namespace dlaexec::measure {
namespace {

/// Runs the loop on a clock on which query i starts at i * @p period_ms and a sync reports the
/// query before, as with two slots. Returns the phases.
std::vector<Phase> run(const LoopLimits& limits, double period_ms) {
  Loop loop(limits);
  std::vector<Phase> phases;
  while (loop.goes_on()) {
    const auto i = static_cast<double>(phases.size());
    phases.push_back(loop.completed(i == 0 ? 0 : (i - 1) * period_ms));
  }
  return phases;
}

size_t timed(const std::vector<Phase>& phases) {
  return static_cast<size_t>(std::count(phases.begin(), phases.end(), Phase::Timed));
}

TEST(Loop, RunsTheDurationAfterTheWarmUp) {
  const auto phases = run({10, 3000, 200}, 2);
  // It ends when a reported start reaches 3200 ms: query 1600, reported by iteration 1601.
  EXPECT_EQ(phases.size(), 1602u);
  EXPECT_EQ(phases[100], Phase::WarmUp);  // reports query 99, 198 ms
  EXPECT_EQ(phases[101], Phase::Timed);   // reports query 100, 200 ms
}

TEST(Loop, RunsTheIterationsWhenTheDurationIsShort) {
  const auto phases = run({25, 0, 0}, 2);
  EXPECT_EQ(phases.size(), 25u);
  EXPECT_EQ(timed(phases), 25u);
}

// The iterations that end before anything was synced are counted, as in trtexec.
TEST(Loop, WarmUpIterationsDoNotCountTowardsTheIterations) {
  const auto phases = run({10, 0, 100}, 10);
  size_t skipped = 0;  // warm-up iterations that saw a start later than 0
  for (size_t i = 2; i < phases.size(); ++i) skipped += phases[i] == Phase::WarmUp;
  EXPECT_EQ(skipped, 9u);
  EXPECT_EQ(phases.size(), 10 + skipped);
}

TEST(Loop, RunsNothingWithoutIterationsDurationAndWarmUp) {
  EXPECT_TRUE(run({0, 0, 0}, 1).empty());
}

TEST(Loop, EndlessLoopsGoOn) {
  LoopLimits limits{0, 0, 0};
  limits.endless = true;
  Loop loop(limits);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(loop.goes_on());
    loop.completed(i * 1e6);
  }
}

TEST(Loop, ClockThatReportsAnOlderQueryDoesNotGoBack) {
  Loop loop({1, 100, 0});
  loop.completed(50);
  loop.completed(40);  // another stream's sync
  EXPECT_EQ(loop.elapsed_ms(), 50);
}

}  // namespace
}  // namespace dlaexec::measure
