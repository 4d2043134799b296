#include "run/core_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "run/engine.h"
#include "support/net.h"

namespace dlaexec::run {
namespace {

using testing::HasSubstr;

const dla::Platform& orin() { return dla::platform("agx-orin-64"); }
const dla::Platform& xavier() { return dla::platform("agx-xavier"); }
constexpr int64_t kMiB = 1 << 20;

TEST(CoreUse, ACoreHoldsSixteenLoadablesOfAllEngines) {
  const CoreUse one(orin(), 1, 15, 0);
  const CoreUse two(orin(), 1, 1, 0);
  const CoreUse other_core(orin(), 0, 16, 0);
  try {
    const CoreUse three(orin(), 1, 1, 0);
    FAIL() << "17 loadables on one core";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("DLA core 1 of Jetson AGX Orin 64 holds 16 loadables at most; "
                          "engines in use hold 16 and this plan brings 1"));
  }
}

TEST(CoreUse, WhatAnEngineHeldIsFreeAfterIt) {
  for (int i = 0; i < 3; ++i) const CoreUse use(orin(), 1, 16, 0);
}

TEST(CoreUse, TwoEnginesThatAskForMoreSramThanXavierSharesAreTold) {
  log::Capture lines;
  const CoreUse one(xavier(), 0, 1, 2 * kMiB);
  const CoreUse two(xavier(), 1, 1, 2 * kMiB);
  EXPECT_EQ(lines.text(), "");
  const CoreUse three(xavier(), 1, 1, kMiB);
  EXPECT_THAT(lines.text(), HasSubstr("[W] engines in use ask for 5 MiB of managed SRAM together; "
                                      "the cores of Jetson AGX Xavier share 4 MiB"));
}

TEST(CoreUse, OrinsCoresHaveTheirOwnSram) {
  log::Capture lines;
  const CoreUse one(orin(), 0, 1, 4 * kMiB);
  const CoreUse two(orin(), 1, 1, 4 * kMiB);
  EXPECT_EQ(lines.text(), "");
}

/// A plan of so many loadables.
plan::Plan islands(int count) {
  test::Net net;
  auto x = net.input("x", {1, 16, 4, 4});
  for (int i = 0; i < count; ++i) {
    x = net.conv(format("conv{}", i), x, 16, 1);
    x = net.activation(format("elu{}", i), x, ir::ActivationKind::Elu, 1);
  }
  net.output(x);
  build::Options options;
  options.graph = net.graph;
  options.model_path = "islands";
  options.dla_core = 0;
  options.gpu_fallback = true;
  return build::build(options);
}

TEST(CoreUse, IsTakenByEnginesForAsLongAsTheyLive) {
  const plan::Plan plan = islands(9);
  {
    const Engine first(plan);
    EXPECT_THROW(Engine{plan}, Error);
    EngineOptions other;
    other.board.dla_core = 1;
    const Engine second(plan, other);
  }
  const Engine again(plan);
}

}  // namespace
}  // namespace dlaexec::run
