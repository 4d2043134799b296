#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "base/log.h"
#include "place/placement.h"
#include "place/segments.h"
#include "quant/quant.h"
#include "support/golden.h"
#include "support/net.h"
#include "support/random_graph.h"

namespace dlaexec::place {
namespace {

using ir::Device;
using ir::Graph;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Wishes {
  bool int8 = false;
  std::string platform = "agx-orin-64";
  std::map<std::string, Device> devices = {};
};

Options options_for(const Wishes& wishes) {
  Options options;
  options.platform = &dla::platform(wishes.platform);
  options.edition = dla::default_edition(options.platform->generation);
  options.default_device = Device::Dla;
  options.layer_devices = wishes.devices;
  options.gpu_fallback = true;
  return options;
}

/// What a build does up to the placement.
Placement place(Graph& graph, const Wishes& wishes, const Options& options) {
  choose_devices(graph, options);
  quant::Options precisions;
  precisions.fp16 = !wishes.int8;
  precisions.int8 = wishes.int8;
  precisions.dla = dla::Target{options.platform->generation, options.edition, {}};
  quant::assign(graph, precisions);
  return partition(graph, options);
}

std::string logged(const Placement& placement) {
  log::Capture lines;
  log_placement(placement);
  return lines.text();
}

std::vector<std::string> segment_names(const Placement& placement) {
  std::vector<std::string> names;
  for (const Segment& segment : placement.segments) names.push_back(segment.name);
  return names;
}

std::vector<std::string> on_gpu(const Placement& placement) {
  std::vector<std::string> names;
  for (const LayerPlacement& layer : placement.layers)
    if (layer.device == Device::Gpu) names.push_back(layer.type + ":" + layer.layer);
  return names;
}

std::string placed(std::string_view network, bool int8) {
  Graph graph = test::network(network);
  const Wishes wishes{int8};
  return logged(place(graph, wishes, options_for(wishes)));
}

TEST(Partition, PlacesResNet50AsTensorRtDoes) {
  for (const bool int8 : {false, true}) {
    Graph graph = test::network("resnet50");
    const Wishes wishes{int8};
    const Placement placement = place(graph, wishes, options_for(wishes));
    EXPECT_THAT(segment_names(placement),
                ElementsAre("{ForeignNode[conv1...layer4.2.relu3]}", "{ForeignNode[fc]}"));
    EXPECT_THAT(on_gpu(placement), ElementsAre("REDUCE:avgpool", "SHUFFLE:flatten"));
    EXPECT_THAT(logged(placement), HasSubstr("avgpool: DLA cores do not support AVG Reduce"));
  }
}

TEST(Partition, MatchesTheGoldenPlacements) {
  for (const char* network : {"resnet50", "mobilenet_v2", "vgg16", "unet"}) {
    test::expect_golden(format("placement/{}-fp16.txt", network), placed(network, false));
    test::expect_golden(format("placement/{}-int8.txt", network), placed(network, true));
  }
}

/// Nodes of the contracted graph: segments as one, other layers alone.
std::vector<int> groups_of(const Graph& graph) {
  std::vector<int> groups;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    groups.push_back(graph.nodes[i].segment >= 0 ? graph.nodes[i].segment
                                                 : 1000 + static_cast<int>(i));
  return groups;
}

/// True if the groups cannot be put into an order in which producers come first.
bool has_cycle(const Graph& graph, const std::vector<int>& groups) {
  const std::vector<std::vector<int>> used_by = ir::uses(graph);
  std::map<int, std::set<int>> before;  // group -> groups it waits for
  for (const int group : groups) before[group];
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (const ir::ValueId id : graph.nodes[i].outputs)
      for (const int user : used_by[static_cast<size_t>(id)])
        if (groups[static_cast<size_t>(user)] != groups[i])
          before[groups[static_cast<size_t>(user)]].insert(groups[i]);
  while (!before.empty()) {
    const auto ready = std::find_if(before.begin(), before.end(),
                                    [](const auto& entry) { return entry.second.empty(); });
    if (ready == before.end()) return true;
    const int done = ready->first;
    before.erase(ready);
    for (auto& [group, waits] : before) waits.erase(done);
  }
  return false;
}

/// A random network in which some layers wish the GPU.
Graph random_graph(uint32_t seed, Options& options) {
  Graph graph = test::random_network(seed, 5 + static_cast<int>(seed % 56));
  std::mt19937 random(seed);
  for (const ir::Node& node : graph.nodes)
    if (random() % 5 == 0) options.layer_devices[node.name] = Device::Gpu;
  return graph;
}

TEST(Partition, HoldsItsPromisesOnRandomNetworks) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    Wishes wishes{seed % 2 == 1, seed % 3 == 0 ? "agx-xavier" : "agx-orin-64"};
    Options options = options_for(wishes);
    Graph graph = random_graph(seed, options);
    if (seed % 4 == 0) options.loadable_cap = 2;
    const Placement placement = place(graph, wishes, options);

    const std::vector<int> groups = groups_of(graph);
    ASSERT_FALSE(has_cycle(graph, groups)) << seed;
    ASSERT_LE(placement.segments.size(), static_cast<size_t>(options.loadable_cap.value_or(16)));
    ASSERT_EQ(placement.layers.size(), graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const ir::Node& node = graph.nodes[i];
      const LayerPlacement& layer = placement.layers[i];
      ASSERT_EQ(node.device, layer.device);
      ASSERT_EQ(node.segment >= 0, node.device == Device::Dla) << seed;
      if (node.device != Device::Dla) continue;
      ASSERT_EQ(layer.wish, Device::Dla);
      const dla::Target target{options.platform->generation, options.edition, *node.precision};
      ASSERT_FALSE(ir::refuses(dla::check(graph, node, target))) << seed << " " << node.name;
    }
  }
}

TEST(Partition, JoinsAllThatCanBeJoinedOnRandomNetworks) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const Wishes wishes;
    Options options = options_for(wishes);
    options.edition = dla::Edition::V8_6;  // no rule on batches
    Graph graph = random_graph(seed, options);
    place(graph, wishes, options);
    const std::vector<std::vector<int>> used_by = ir::uses(graph);
    for (const ir::Node& node : graph.nodes)
      for (const ir::ValueId id : node.outputs)
        for (const int user : used_by[static_cast<size_t>(id)]) {
          const int other = graph.nodes[static_cast<size_t>(user)].segment;
          if (node.segment < 0 || other < 0 || other == node.segment) continue;
          std::vector<int> joined = groups_of(graph);
          std::replace(joined.begin(), joined.end(), other, node.segment);
          ASSERT_TRUE(has_cycle(graph, joined)) << seed << ": two neighbours could be one segment";
        }
  }
}

TEST(Partition, JoinsLargeSegmentsToo) {
  test::Net net;
  auto trunk = net.input("x", {1, 8, 4, 4});
  for (int i = 0; i < 150; ++i) {  // two edges inside the segment each
    const auto y = net.relu(format("relu{}", i), trunk);
    trunk = net.add(format("add{}", i), trunk, y);
  }
  net.output(net.relu("left", trunk));
  net.output(net.relu("right", trunk));
  const std::vector<char> on_dla(net.graph.nodes.size(), 1);
  EXPECT_EQ(form_segments(net.graph, on_dla, {}).size(), 1u);
}

TEST(Partition, FollowsTheUsersDevicesAndTellsOfNamesThatMatchNothing) {
  Graph graph = test::network("resnet50");
  const Wishes wishes{
      false,
      "agx-orin-64",
      {{"layer2*", Device::Gpu}, {"layer2.0.conv1", Device::Dla}, {"no-such", Device::Gpu}}};
  const Placement placement = place(graph, wishes, options_for(wishes));
  EXPECT_THAT(segment_names(placement),
              ElementsAre("{ForeignNode[conv1...layer2.0.conv1]}",
                          "{ForeignNode[layer3.0.conv1...layer4.2.relu3]}", "{ForeignNode[fc]}"));
  EXPECT_THAT(placement.unmatched_patterns, ElementsAre("no-such"));
  EXPECT_THAT(logged(placement), Not(HasSubstr("layer2.1.conv1: ")))
      << "no reason is due where the user chose the GPU";
}

TEST(Partition, SplitsAtTheLayerThatTheCompilerRefuses) {
  Graph graph = test::network("resnet50");
  const Wishes wishes;
  Options options = options_for(wishes);
  options.front_end = [](const Graph& segment) -> std::optional<FrontEndRefusal> {
    for (const ir::Node& node : segment.nodes)
      if (node.name == "relu1") return FrontEndRefusal{node.name, "Tiles too small."};
    return std::nullopt;
  };
  const Placement placement = place(graph, wishes, options);
  EXPECT_THAT(segment_names(placement),
              ElementsAre("{ForeignNode[conv1]}", "{ForeignNode[maxpool...layer4.2.relu3]}",
                          "{ForeignNode[fc]}"));
  EXPECT_THAT(logged(placement), HasSubstr("Splitting DLA subgraph at: relu1"));
}

TEST(Partition, SendsACombinationThatFailsToTheGpuAsAWhole) {
  Graph graph = test::network("resnet50");
  const Wishes wishes;
  Options options = options_for(wishes);
  options.front_end = [](const Graph& segment) -> std::optional<FrontEndRefusal> {
    if (segment.nodes.size() > 1) return FrontEndRefusal{"", "More state than a loadable holds."};
    return std::nullopt;
  };
  const Placement placement = place(graph, wishes, options);
  EXPECT_THAT(segment_names(placement), ElementsAre("{ForeignNode[fc]}"));
  EXPECT_EQ(placement.layers[0].findings.at(0).rule, "place.combination");
  EXPECT_EQ(placement.candidates, 2);
}

/// A compiler whose loadables hold so many layers.
FrontEnd holds(size_t layers) {
  return [layers](const Graph& segment) -> std::optional<FrontEndRefusal> {
    if (segment.nodes.size() <= layers) return std::nullopt;
    return FrontEndRefusal{segment.nodes.front().name, "The pool is 3 MiB too small.", true};
  };
}

TEST(Partition, CutsASegmentThatDoesNotFitItsPoolsIntoPartsThatDo) {
  test::Net net;
  auto x = net.input("x", {1, 16, 8, 8});
  for (int i = 0; i < 10; ++i) x = net.conv(format("c{}", i), x, 16, 3, {1, 1});
  net.output(x);
  const Wishes wishes;
  Options options = options_for(wishes);
  options.front_end = holds(4);
  const Placement placement = place(net.graph, wishes, options);
  EXPECT_THAT(
      segment_names(placement),
      ElementsAre("{ForeignNode[c0...c3]}", "{ForeignNode[c4...c7]}", "{ForeignNode[c8...c9]}"));
  EXPECT_THAT(on_gpu(placement), ElementsAre());
  EXPECT_THAT(logged(placement),
              HasSubstr("c4: The pool is 3 MiB too small. Splitting DLA subgraph at: c4"));
}

TEST(Partition, SendsALayerThatAloneDoesNotFitItsPoolsToTheGpu) {
  test::Net net;
  net.output(net.conv("c", net.input("x", {1, 16, 8, 8}), 16, 3));
  const Wishes wishes;
  Options options = options_for(wishes);
  options.front_end = holds(0);
  const Placement placement = place(net.graph, wishes, options);
  EXPECT_THAT(on_gpu(placement), ElementsAre("CONVOLUTION:c"));
  EXPECT_THAT(logged(placement), HasSubstr("The pool is 3 MiB too small."));
}

TEST(Partition, CutsKeepTheirPromisesOnRandomNetworks) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const Wishes wishes;
    Options options = options_for(wishes);
    Graph graph = random_graph(seed, options);
    options.front_end = holds(3);
    const Placement placement = place(graph, wishes, options);
    ASSERT_FALSE(has_cycle(graph, groups_of(graph))) << seed;
    for (const Segment& segment : placement.segments) ASSERT_LE(segment.layers.size(), 3u) << seed;
    for (const LayerPlacement& layer : placement.layers)
      for (const ir::Finding& finding : layer.findings) ASSERT_NE(finding.rule, "place.compiler");
  }
}

TEST(Partition, ShowsTheCompilerTypesAndFormatsAtTheBorders) {
  test::Net net;
  const auto x = net.input("x", {1, 3, 16, 16});
  net.output(net.conv("c", x, 32, 3));
  for (const bool int8 : {false, true}) {
    Graph graph = net.graph;
    const Wishes wishes{int8};
    Options options = options_for(wishes);
    std::vector<std::string> borders;
    options.front_end = [&](const Graph& segment) -> std::optional<FrontEndRefusal> {
      for (const auto* side : {&segment.inputs, &segment.outputs})
        for (const ir::ValueId id : *side)
          borders.push_back(format("{}:{}", ir::text(segment.value(id).type),
                                   ir::text(segment.value(id).format)));
      return std::nullopt;
    };
    place(graph, wishes, options);
    EXPECT_THAT(borders, int8 ? ElementsAre("i8:dla_hwc4", "i8:chw32")
                              : ElementsAre("f16:dla_hwc4", "f16:chw16"));
  }
}

TEST(Partition, KeepsBatchesApartInOneSegment) {
  test::Net net;
  net.output(net.relu("b", net.relu("a", net.input("x", {4, 16, 8, 8}))));
  const std::vector<char> on_dla(2, 1);
  EXPECT_EQ(form_segments(net.graph, on_dla, {{4, 4}}).size(), 1u);
  EXPECT_EQ(form_segments(net.graph, on_dla, {{4, 1}}).size(), 2u);
  EXPECT_EQ(form_segments(net.graph, on_dla, {{0, 1}}).size(), 1u);
}

TEST(Partition, TakesNoMoreSegmentsThanTheEditionAllows) {
  test::Net net;
  auto x = net.input("x", {1, 16, 8, 8});
  for (int i = 0; i < 20; ++i) {
    x = net.conv(format("conv{}", i), x, 16, 3, {1, 1});
    x = net.activation(format("elu{}", i), x, ir::ActivationKind::Elu, 1);
  }
  net.output(x);
  const Wishes wishes;
  for (const auto& [edition, cap] :
       {std::pair{dla::Edition::V8_4, 4}, std::pair{dla::Edition::V10, 16}}) {
    Graph graph = net.graph;
    Options options = options_for(wishes);
    options.edition = edition;
    const Placement placement = place(graph, wishes, options);
    EXPECT_EQ(placement.segments.size(), static_cast<size_t>(cap));
    EXPECT_EQ(placement.dropped.size(), static_cast<size_t>(20 - cap));
    EXPECT_EQ(placement.candidates, 20);
    EXPECT_THAT(logged(placement),
                HasSubstr(format("DLA supports only {} subgraphs per DLA core.", cap)));
  }
}

TEST(Partition, LeavesANetworkThatWishesNoDlaAlone) {
  Graph graph = test::network("unet");
  const Options options;
  choose_devices(graph, options);
  const Placement placement = partition(graph, options);
  EXPECT_TRUE(placement.segments.empty());
  EXPECT_THAT(logged(placement), Not(HasSubstr("[W]")));
}

}  // namespace
}  // namespace dlaexec::place
