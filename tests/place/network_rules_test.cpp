// The rules of the table that speak of a whole network: placement keeps them. Each with a network
// at its limit and one past it.
#include <gtest/gtest.h>

#include "place/candidates.h"
#include "support/net.h"

namespace dlaexec::place {
namespace {

/// A network, and what placement makes of it at the rule's limit and past it.
struct NetworkCase {
  const char* id;
  dla::Generation generation;
  dla::Edition edition;
  ir::Graph (*make)(int64_t value);
  int64_t at, past;
  size_t segments_at, segments_past, dropped_past;
};

/// So many convolutions, with layers between them that no DLA has.
ir::Graph islands(int64_t count) {
  test::Net net;
  auto x = net.input("x", {1, 16, 8, 8});
  for (int64_t i = 0; i < count; ++i) {
    x = net.conv(format("conv{}", i), x, 16, 3, {1, 1});
    x = net.activation(format("elu{}", i), x, ir::ActivationKind::Elu, 1);
  }
  net.output(x);
  return net.graph;
}

/// Two layers of which the second has this batch, the first 4.
ir::Graph batches(int64_t batch) {
  test::Net net;
  const auto y = net.relu("b", net.relu("a", net.input("x", {4, 16, 8, 8})));
  net.output(y);
  net.graph.value(y).shape[0] = ir::Dim(batch);
  return net.graph;
}

constexpr dla::Generation kXavier = dla::Generation::Xavier, kOrin = dla::Generation::Orin;

// clang-format off
const NetworkCase kCases[] = {
    {"network.loadables", kXavier, dla::Edition::V8_4, islands, 4, 5, 4, 4, 1},
    {"network.loadables", kOrin, dla::Edition::V8_4, islands, 4, 5, 4, 4, 1},
    {"network.loadables", kXavier, dla::Edition::V8_5, islands, 16, 17, 16, 16, 1},
    {"network.loadables", kOrin, dla::Edition::V10, islands, 16, 17, 16, 16, 1},
    {"network.one-batch", kOrin, dla::Edition::V10, batches, 4, 1, 1, 2, 0},
};
// clang-format on

Placement placed(const NetworkCase& each, int64_t value, dla::Edition edition) {
  ir::Graph graph = each.make(value);
  Options options;
  options.platform = &dla::platform(each.generation == kXavier ? "agx-xavier" : "agx-orin-64");
  options.edition = edition;
  for (ir::Node& node : graph.nodes) {
    node.device = ir::Device::Dla;
    node.precision = ir::DataType::Float16;
  }
  return decide(graph, options);
}

TEST(NetworkRules, HoldAtTheirLimitsAndPastThem) {
  for (const NetworkCase& each : kCases) {
    SCOPED_TRACE(
        format("{} on {} under {}", each.id, ir::text(each.generation), ir::text(each.edition)));
    const Placement at = placed(each, each.at, each.edition);
    EXPECT_EQ(at.segments.size(), each.segments_at);
    EXPECT_TRUE(at.dropped.empty());
    const Placement past = placed(each, each.past, each.edition);
    EXPECT_EQ(past.segments.size(), each.segments_past);
    EXPECT_EQ(past.dropped.size(), each.dropped_past);
  }
}

TEST(NetworkRules, EachRowHasItsNetworks) {
  for (const dla::RuleRow& row : dla::rule_table()) {
    if (!row.rule.ops.is_empty()) continue;
    const bool tested = std::any_of(std::begin(kCases), std::end(kCases), [&](const auto& each) {
      return row.rule.id == each.id && row.on.holds_on(each.generation, each.edition);
    });
    EXPECT_TRUE(tested) << row.rule.id << " needs a network at its limit and one past it";
  }
}

TEST(NetworkRules, BatchesMayMixBeforeTheRule) {
  const NetworkCase& each = kCases[std::size(kCases) - 1];
  EXPECT_EQ(placed(each, each.past, dla::Edition::V8_6).segments.size(), 1u);
}

}  // namespace
}  // namespace dlaexec::place
