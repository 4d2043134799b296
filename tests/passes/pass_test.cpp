#include "passes/pass.h"

#include <gtest/gtest.h>

#include <set>

#include "base/log.h"
#include "ir/text.h"
#include "passes/pipeline.h"

namespace dlaexec::passes {
namespace {

bool rename_output(ir::Graph& graph) {
  graph.value(graph.outputs[0]).name = "renamed";
  return true;
}
bool leave(ir::Graph&) { return false; }
bool break_order(ir::Graph& graph) {
  std::swap(graph.nodes.front(), graph.nodes.back());
  return true;
}

ir::Graph chain() {
  return ir::parse(R"(graph @g(%x: f32[2]) {
    %a = activation(%x) {kind=relu} : f32[2]
    %y = activation(%a) {kind=tanh} : f32[2]
    return %y
  })");
}

TEST(PassRunner, ShowsTheGraphAfterPassesThatChangedIt) {
  constexpr Pass kPasses[] = {{"rename", rename_output, ""}, {"leave", leave, ""}};
  ir::Graph graph = chain();
  std::vector<std::string> stages;
  const auto records = run(kPasses, graph, [&](std::string_view stage, const ir::Graph& seen) {
    stages.emplace_back(stage);
    EXPECT_TRUE(seen.find_value("renamed"));
  });
  EXPECT_EQ(stages, std::vector<std::string>{"rename"});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(records[0].changed);
  EXPECT_FALSE(records[1].changed);
}

TEST(PassRunner, SaysWhatEachPassDid) {
  constexpr Pass kPasses[] = {{"rename", rename_output, ""}, {"leave", leave, ""}};
  ir::Graph graph = chain();
  log::Capture captured;
  run(kPasses, graph);
  EXPECT_NE(captured.text().find("[V] Pass rename: 2 -> 2 layers in "), std::string::npos);
  EXPECT_NE(captured.text().find("[V] Pass leave: unchanged\n"), std::string::npos);
}

TEST(PassRunnerDeathTest, AbortsWhenAPassLeavesAFlaw) {
  constexpr Pass kPasses[] = {{"break", break_order, ""}};
  ir::Graph graph = chain();
  EXPECT_DEATH(run(kPasses, graph), "");
}

TEST(Pipeline, ExplainsThePlaceOfEveryPass) {
  for (const auto list : {clean_up_passes(), fusion_passes(), type_passes()}) {
    std::set<std::string_view> names;
    for (const Pass& pass : list) {
      EXPECT_TRUE(names.insert(pass.name).second) << pass.name;
      EXPECT_FALSE(pass.why_here.empty()) << pass.name;
    }
  }
}

}  // namespace
}  // namespace dlaexec::passes
