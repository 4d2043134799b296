#include "report/dla_operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "build/build.h"
#include "report/exports.h"
#include "report/summary.h"
#include "support/json_schema.h"
#include "support/net.h"
#include "support/paths.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A small network whose every layer the DLA takes.
plan::Plan small_dla_plan() {
  log::Capture capture;
  test::Net net;
  auto x = net.relu("relu", net.conv("conv", net.input("x", {1, 16, 32, 32}), 32, 3, {1, 1}));
  net.output(net.pool("pool", ir::PoolKind::Max, x, 2, 2));
  build::Options options;
  options.graph = net.graph;
  options.dla_core = 0;
  options.int8 = options.fp16 = options.gpu_fallback = true;
  return build::build(options);
}

TEST(DlaOperations, AddUpToTheStepTheyAreIn) {
  const run::Engine engine(small_dla_plan());
  const std::vector<DlaStep> steps = dla_steps(engine);
  ASSERT_EQ(steps.size(), 1u);
  const DlaStep& step = steps[0];
  ASSERT_EQ(step.operations.size(), 2u);
  EXPECT_EQ(step.operations[0].layers, (std::vector<std::string>{"conv", "relu"}));
  EXPECT_EQ(step.operations[1].unit, dla::Unit::Pdp);
  double seconds = 0;
  for (const DlaOperation& operation : step.operations) seconds += operation.time.seconds;
  EXPECT_LT(seconds, step.seconds);  // the task's start is not an operation's
  EXPECT_NEAR(seconds, step.seconds, 5e-6);
  EXPECT_EQ(step.error, dla::stated_error(dla::Generation::Orin, ir::DataType::Int8));
}

TEST(DlaOperations, AreToldWithBoundErrorAndWhatWouldHelp) {
  const plan::Plan plan = small_dla_plan();
  const run::Board board = run::board_of(plan.metadata, {});
  const std::vector<DlaStep> steps = dla_steps(plan, board);
  const std::string text = dla_operations_text(steps, board);
  for (const char* part : {"conv + relu", "pool", "(+-15 %)", "agx-orin-64 MAXN", "waits for"})
    EXPECT_THAT(text, HasSubstr(part));
  const json operations = json::parse(dla_operations_json(steps[0]));
  for (const json& operation : operations) EXPECT_NE(operation["would_help"], "");
}

TEST(DlaOperations, FollowTheirStepInTheProfile) {
  const run::Engine engine(small_dla_plan());
  bench::Profile profile;
  profile.iterations = 2;
  for (const run::Step& step : engine.steps())
    profile.layers.push_back({step.name, step.processor, step.kind, 2, 1, 1, 50});
  profile.total_ms = 4;
  const json without = json::parse(profile_json(profile));
  const json with = json::parse(profile_json(profile, dla_steps(engine)));
  ASSERT_EQ(with.size(), without.size() + 2);
  const size_t at = dla_steps(engine)[0].step + 2;  // behind the count and the step
  EXPECT_EQ(with[at]["name"], engine.steps()[at - 2].name + "/conv + relu");
  EXPECT_EQ(with[at]["layers"], json({"conv", "relu"}));
  for (const char* key : {"timeMs", "averageMs", "medianMs", "percentage", "bound", "cycles",
                          "utilization", "dramBytes", "sramBytes", "unit", "errorPercent"})
    EXPECT_TRUE(with[at].contains(key)) << key;
}

TEST(DlaOperations, StandInTheJsonListingOfAPlan) {
  const plan::Plan plan = small_dla_plan();
  const run::Board board = run::board_of(plan.metadata, {});
  const json listing = json::parse(
      with_dla_operations(R"({"loadables": [{"name": "a"}], "steps": []})", plan, board));
  const json& loadable = listing["loadables"][0];
  EXPECT_EQ(loadable["name"], "a");
  EXPECT_EQ(loadable["kind"], "modelled");
  EXPECT_EQ(loadable["board"], "agx-orin-64 MAXN");
  EXPECT_EQ(loadable["error_percent"], 15);
  EXPECT_EQ(loadable["operations"].size(), 2u);
  EXPECT_GT(loadable["time_ms"], 0);
  EXPECT_TRUE(listing.contains("steps"));
}

TEST(DlaOperations, OfASummaryFitItsSchema) {
  const plan::Plan plan = small_dla_plan();
  report::Run told;
  told.command = {"dlaexec"};
  told.machine = this_machine();
  told.plan = &plan;
  run::BoardOptions wanted;
  wanted.dla_mhz = 800;
  wanted.busy_cores = 2;
  told.board = run::board_of(plan.metadata, wanted);
  const json summary = json::parse(summary_json(told));
  const json schema = json::parse(read_file(test::source_dir() + "/scripts/schema/summary.json"));
  EXPECT_THAT(test::violations(summary, schema), testing::IsEmpty());
  EXPECT_EQ(summary["platform"]["dla_mhz"], 800);
  EXPECT_EQ(summary["platform"]["busy_cores"], 2);
  EXPECT_EQ(summary["loadables"][0]["error_percent"], 15);
}

}  // namespace
}  // namespace dlaexec::report
