// Tuning on a device, as far as it does not depend on what turns out to be fast.
#include "tune/tuner.h"

#include <gmock/gmock.h>

#include "gpu/driver.h"
#include "ir/text.h"
#include "tune/decisions.h"
#include "tune/problems.h"

namespace dlaexec::tune {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Two convolutions that may run as one launch, then one that reads them.
constexpr const char* kConvolutions = R"(graph @g(%x: f16[1,64,14,14], %r: f16[1,128,14,14]) {
  const %w1 = f16[128,64,1,1] seed(1)
  const %b1 = f32[128] seed(2)
  const %w2 = f16[64,128,1,1] seed(3)
  const %b2 = f32[64] seed(4)
  const %w3 = f16[64,64,3,3] seed(5)
  const %b3 = f32[64] seed(6)
  %y = conv(%x, %w1, %b1, %r) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], groups=1, residual=true, activation=relu} : f16[1,128,14,14]
  %z = conv(%y, %w2, %b2) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], groups=1, activation=relu} : f16[1,64,14,14]
  %u = conv(%z, %w3, %b3) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=1, activation=relu} : f16[1,64,14,14]
  return %u, %y
})";

class Tuner : public testing::Test {
 protected:
  void SetUp() override {
    if (!gpu::find_driver().table) GTEST_SKIP() << gpu::find_driver().reason;
    if (!gpu::find_nvrtc().table) GTEST_SKIP() << gpu::find_nvrtc().reason;
    context.emplace();
    compiler.emplace(context->target().architecture_name(), gpu::default_kernel_cache());
    options.candidates = 3;
    options.network_time = std::chrono::milliseconds(300);
  }

  size_t tune_graph(const ir::Graph& graph) {
    return tune({&graph, 1}, *context, *compiler, pool, cache, options);
  }

  std::optional<gpu::Context> context;
  std::optional<gpu::Compiler> compiler;
  ThreadPool pool;
  TimingCache cache;
  TuneOptions options;
};

TEST_F(Tuner, MeasuresANetworkOnceProblemByProblemAndAsAWhole) {
  const ir::Graph graph = ir::parse(kConvolutions);
  EXPECT_GE(tune_graph(graph), 3u);
  const std::string network = network_key(lower_apart({&graph, 1}, context->target(), options));
  EXPECT_THAT(cache.text(), HasSubstr(" | in network " + network + ": conv"));
  const std::string known = cache.text();
  EXPECT_EQ(tune_graph(graph), 0u);
  EXPECT_EQ(cache.text(), known);
}

TEST_F(Tuner, WithoutTimeForItTheNetworkIsNotMeasured) {
  options.network_time = {};
  EXPECT_GE(tune_graph(ir::parse(kConvolutions)), 3u);
  EXPECT_THAT(cache.text(), Not(HasSubstr("in network")));
}

TEST_F(Tuner, WhatItChoseForTheNetworkIsWhatLoweringTakes) {
  const ir::Graph graph = ir::parse(kConvolutions);
  tune_graph(graph);
  const std::string device = device_key(context->target());
  const std::string network = network_key(lower_apart({&graph, 1}, context->target(), options));
  const gpu::Lowered lowered =
      gpu::lower(graph, context->target(), options_from(cache, device, network));
  ASSERT_FALSE(lowered.choices.empty());
  for (const gpu::Choice& choice : lowered.choices) {
    if (choice.tactics.size() == 1) continue;  // nothing to choose
    const Decision* decision = cache.find(device, in_network(network, choice.problem));
    ASSERT_TRUE(decision) << choice.problem;
    EXPECT_EQ(choice.chosen, decision->tactic);
    EXPECT_GT(decision->microseconds, 0);
  }
}

TEST_F(Tuner, IntegersThatAreIndicesStayWithinTheirTables) {
  const ir::Graph graph = ir::parse(R"(graph @g(%table: f16[8,64], %i: i64[16]) {
  const %w = f16[64,64] seed(1)
  %rows = gather(%table, %i) {axis=0} : f16[16,64]
  %y = matmul(%rows, %w) : f16[16,64]
  return %y
})");
  EXPECT_GE(tune_graph(graph), 1u);
  EXPECT_THAT(cache.text(), HasSubstr("in network"));
}

}  // namespace
}  // namespace dlaexec::tune
