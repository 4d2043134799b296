#include "gpu/lowered.h"

#include <gmock/gmock.h>

#include "gpu/lowering.h"
#include "ir/text.h"

namespace dlaexec::gpu {
namespace {

using testing::HasSubstr;

Step step_using(std::initializer_list<int> slots) {
  Step step;
  for (const int slot : slots) step.patches.push_back({0, {Memory::Slot, slot, 0}, std::nullopt});
  return step;
}

Lowered chain_of(std::vector<int64_t> bytes) {
  Lowered lowered;
  for (const int64_t size : bytes) {
    Slot slot;
    slot.bytes = size;
    lowered.slots.push_back(slot);
  }
  for (int i = 0; i + 1 < static_cast<int>(bytes.size()); ++i)
    lowered.steps.push_back(step_using({i, i + 1}));
  return lowered;
}

TEST(PlanMemory, AChainNeedsItsTwoLargestNeighbours) {
  Lowered lowered = chain_of({4096, 2048, 4096, 1024});
  plan_memory(lowered);
  EXPECT_EQ(lowered.arena_bytes, 4096 + 2048);
}

TEST(PlanMemory, SlotsOfOneStepNeverOverlap) {
  Lowered lowered = chain_of({300, 5000, 700, 700, 64, 9000, 256, 257, 1});
  lowered.steps.push_back(step_using({0, 8}));  // a shortcut keeps the first alive to the end
  plan_memory(lowered);
  for (const Slot& a : lowered.slots)
    for (const Slot& b : lowered.slots) {
      if (&a == &b || a.first > b.last || b.first > a.last) continue;
      EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset);
    }
}

TEST(PlanMemory, ZeroedSlotsAreNeverShared) {
  Lowered lowered = chain_of({1024, 1024, 1024});
  lowered.slots[0].zeroed = true;
  plan_memory(lowered);
  EXPECT_NE(lowered.slots[0].offset, lowered.slots[1].offset);
  EXPECT_NE(lowered.slots[0].offset, lowered.slots[2].offset);
}

ir::Graph two_convolutions() {
  return ir::parse(R"(graph @g(%x: f32[1,3,32,32]) {
  const %w0 = f16[16,3,3,3] seed(1)
  const %w1 = f16[24,16,3,3] seed(2)
  %h = reformat(%x) : f16[1,3,32,32]
  %a = conv(%h, %w0) {stride=[4,4], pads=[1,1,1,1], dilation=[1,1]} : f16[1,16,8,8]
  %b = conv(%a, %w1) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f16[1,24,8,8]
  %y = reformat(%b) : f32[1,24,8,8]
  return %y
})");
}

std::vector<std::string> names(const Lowered& lowered) {
  std::vector<std::string> result;
  for (const Step& step : lowered.steps) result.push_back(step.name);
  return result;
}

TEST(Lower, AFirstLayerReadsItsInputThroughAnImageOfItsOwnType) {
  const Lowered lowered = lower(two_convolutions(), target_of("sm_87"));
  // The first reformat is folded into the image; the second changes type and layout at once.
  EXPECT_THAT(names(lowered), testing::ElementsAre("a image", "a", "b", "y"));
  EXPECT_THAT(lowered.steps[0].kernel.expression, HasSubstr("to_pixels<float, half, 4>"));
  EXPECT_THAT(lowered.steps[3].kernel.expression, HasSubstr("to_planes<half, float, 8>"));
}

/// An INT8 tensor reshaped to one whose numbers stand for @p scale.
ir::Graph reshaped(float scale) {
  return ir::parse(format(R"(graph @g(%x: f32[1,16,2,2]) {{
  const %s = i64[2] [1, 64]
  %a = reformat(%x) : i8[1,16,2,2] q(0.5)
  %b = reshape(%a, %s) : i8[1,64] q({})
  %y = reformat(%b) : f32[1,64]
  return %y
}})",
                          scale));
}

TEST(Lower, AReshapedTensorIsTheSameMemoryUnlessItsScaleIsAnother) {
  EXPECT_THAT(names(lower(reshaped(0.5f), target_of("sm_87"))), testing::ElementsAre("a", "y"));
  EXPECT_THAT(names(lower(reshaped(0.25f), target_of("sm_87"))),
              testing::ElementsAre("a", "b", "y"));
}

TEST(Lower, TheChosenTacticIsTheOneThatRuns) {
  LowerOptions options;
  options.choose = [](const std::string&, const std::vector<std::string>&) {
    return std::string("mma 64x64 w2x2 r64 s3 k2");
  };
  const Lowered lowered = lower(two_convolutions(), target_of("sm_87"), options);
  EXPECT_EQ(lowered.steps[2].tactic, "mma 64x64 w2x2 r64 s3 k2");
  EXPECT_EQ(lowered.steps[2].launch.grid[2], 2);
  EXPECT_THAT(lowered.steps[2].kernel.expression, HasSubstr("Memory"));
}

TEST(Lower, SaysWhyANodeHasNoKernel) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f16[1,3,4,4,4]) {
  const %w = f16[2,3,3,3,3] seed(1)
  %y = conv(%x, %w) {stride=[1,1,1], pads=[0,0,0,0,0,0], dilation=[1,1,1]} : f16[1,2,2,2,2]
  return %y
})");
  const auto reason = why_not(graph, graph.nodes[0], target_of("sm_87"));
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, HasSubstr("3-D convolution"));
}

/// A long sum of few pixels asks for blocks that share it, through memory where there are no
/// clusters.
TEST(Lowered, TacticsThatNeedMoreWorkspaceThanThereIsAreLeftOut) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f16[1,4096]) {
  const %w = f16[4096,64] seed(1)
  %y = matmul(%x, %w) : f16[1,64]
  return %y
})");
  const Target target = target_of("sm_87");
  const auto is_split = [](const Step& step) {
    return step.kernel.expression.find(", Memory,") != std::string::npos;
  };
  LowerOptions options;
  const Lowered free = lower(graph, target, options);
  EXPECT_TRUE(std::any_of(free.steps.begin(), free.steps.end(), is_split));
  EXPECT_EQ(free.tactics_left_out, 0);
  options.workspace_bytes = 0;
  const Lowered tight = lower(graph, target, options);
  EXPECT_TRUE(std::none_of(tight.steps.begin(), tight.steps.end(), is_split));
  EXPECT_GT(tight.tactics_left_out, 0);
}

/// A tactic that was measured where there was more memory is not taken either.
TEST(Lowered, AKnownTacticThatNeedsMoreWorkspaceGivesWayToOneThatDoesNot) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f16[1,4096]) {
  const %w = f16[4096,64] seed(1)
  %y = matmul(%x, %w) : f16[1,64]
  return %y
})");
  LowerOptions options;
  const std::string split = lower(graph, target_of("sm_87"), options).steps.back().tactic;
  ASSERT_THAT(split, testing::Not(testing::HasSubstr(" k1")));
  options.workspace_bytes = 0;
  options.choose = [&](const std::string&, const std::vector<std::string>&) { return split; };
  EXPECT_THAT(lower(graph, target_of("sm_87"), options).steps.back().tactic,
              testing::HasSubstr(" k1"));
}

}  // namespace
}  // namespace dlaexec::gpu
