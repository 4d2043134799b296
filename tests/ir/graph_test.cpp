#include "ir/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"

namespace dlaexec::ir {
namespace {

using testing::ElementsAre;

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

Graph diamond() {
  return parse(R"(graph @g(%x: f32[4]) {
    const %half = f32[1] [0.5]
    %a = activation(%x) : f32[4]
    %b = unary(%a) : f32[4]
    %c = elementwise(%a, %half) : f32[4]
    %d = elementwise(%b, %c) : f32[4]
    %unused = unary(%d) : f32[4]
    return %d
  })");
}

TEST(Graph, SortingPutsProducersFirstAndKeepsTheRestInOrder) {
  Graph graph = diamond();
  std::swap(graph.nodes[0], graph.nodes[3]);
  sort_topologically(graph);
  EXPECT_THAT(node_names(graph), ElementsAre("a", "b", "c", "d", "unused"));
}

TEST(Graph, SortingNamesANodeOnACycle) {
  Graph graph = diamond();
  graph.nodes[0].inputs[0] = *graph.find_value("d");
  try {
    sort_topologically(graph);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.sentence(), testing::HasSubstr("cycle"));
  }
}

TEST(Graph, RemovingUnusedKeepsInputsAndRenumbersTheRest) {
  Graph graph = diamond();
  graph.add_constant("lonely", Tensor::scalar(1.0f));
  EXPECT_TRUE(remove_unused(graph));
  EXPECT_THAT(node_names(graph), ElementsAre("a", "b", "c", "d"));
  EXPECT_FALSE(graph.find_value("lonely"));
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "d");
  EXPECT_FALSE(remove_unused(graph));
}

TEST(Graph, ExtractTakesWhatTheNodesUseAndGivesWhatOthersUse) {
  const Graph part = extract(diamond(), {1, 2}, "part");
  EXPECT_EQ(part.inputs.size(), 1u);
  EXPECT_EQ(part.value(part.inputs[0]).name, "a");
  EXPECT_EQ(part.outputs.size(), 2u);
  EXPECT_TRUE(part.find_value("half"));
}

TEST(Graph, ATakenNameGetsASuffix) {
  Graph graph = diamond();
  graph.add_constant("a", Tensor::scalar(1.0f));
  EXPECT_EQ(graph.values.back().name, "a_1");
}

}  // namespace
}  // namespace dlaexec::ir
