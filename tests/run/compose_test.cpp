#include "run/compose.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace dlaexec::run {
namespace {

using namespace std::chrono_literals;

/// in -> a (host) -> d (dla) -> c (host) -> y; b (host) needs only the input.
const char* const kGraph = R"(graph @g(%x: f32[2]) {
  %a = activation(%x) {kind=relu} : f32[2]
  %d = foreign_node(%a) {loadable=0} : f32[2]
  %b = activation(%x) {kind=tanh} : f32[2]
  %c = elementwise(%d, %b) {kind=sum} : f32[2]
  return %c
})";

std::vector<Step> steps() {
  std::vector<Step> made(4);
  made[1].processor = Processor::Dla;
  return made;
}

std::vector<StepTime> durations() {
  std::vector<StepTime> times(4);
  times[0].duration = 10ns;
  times[1].duration = 100ns;
  times[2].duration = 30ns;
  times[3].duration = 5ns;
  return times;
}

TEST(Timeline, ComposedLetsTheHostWorkWhileTheDlaDoes) {
  std::vector<StepTime> times = durations();
  const auto needed = dependencies(ir::parse(kGraph));
  EXPECT_EQ(lay_out(TimelineKind::Composed, steps(), needed, times), 115ns);
  EXPECT_EQ(times[1].start, 10ns);   // waits for a
  EXPECT_EQ(times[2].start, 10ns);   // the host is free again
  EXPECT_EQ(times[3].start, 110ns);  // waits for the DLA
}

TEST(Timeline, WallRunsOneStepAfterTheOther) {
  std::vector<StepTime> times = durations();
  const auto needed = dependencies(ir::parse(kGraph));
  EXPECT_EQ(lay_out(TimelineKind::Wall, steps(), needed, times), 145ns);
  EXPECT_EQ(times[2].start, 110ns);
}

TEST(Timeline, KnowsWhatEachStepNeedsOnce) {
  const auto needed = dependencies(ir::parse(R"(graph @g(%x: f32[2]) {
    %a = activation(%x) {kind=relu} : f32[2]
    %y = elementwise(%a, %a) {kind=sum} : f32[2]
    return %y
  })"));
  EXPECT_TRUE(needed[0].empty());
  EXPECT_EQ(needed[1], std::vector<int>{0});
}

}  // namespace
}  // namespace dlaexec::run
