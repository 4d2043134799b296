#include "place/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "quant/quant.h"
#include "support/golden.h"
#include "support/net.h"

namespace dlaexec::place {
namespace {

using ir::Device;
using ir::Graph;
using test::Net;
using testing::HasSubstr;

Explanation explained(Graph graph, std::map<std::string, Device> devices = {}) {
  Options options;
  options.platform = &dla::platform("agx-orin-64");
  options.default_device = Device::Dla;
  options.gpu_fallback = true;
  options.layer_devices = std::move(devices);
  options.front_end = [](const Graph&) { return FrontEndAnswer(1e-3); };
  choose_devices(graph, options);
  quant::Options precisions;
  precisions.fp16 = true;
  precisions.dla = dla::Target{};
  quant::assign(graph, precisions);
  const Placement placement = partition(graph, options);
  return explain(graph, placement, options);
}

const LayerExplanation& layer_of(const Explanation& explanation, std::string_view name) {
  for (const LayerExplanation& layer : explanation.layers)
    if (layer.layer == name) return layer;
  fail("no layer {}", name);
}

/// ResNet-50's end on a stem that fits no buffer.
Graph awkward() {
  Net net;
  auto x = net.conv("wide", net.input("x", {1, 1024, 8, 128}), 64, 3, {1, 1});
  x = net.relu("relu", x);
  x = net.activation("swish", x, ir::ActivationKind::HardSwish);
  x = net.activation("elu", x, ir::ActivationKind::Elu, 1);
  net.output(net.gemm("fc", net.flatten("flat", net.global_average("gap", x)), 10));
  return net.graph;
}

TEST(Explain, IsTheGoldenTextOfAnAwkwardNetwork) {
  test::expect_golden("placement/explain-awkward.txt", explanation_text(explained(awkward())));
}

TEST(Explain, ShowsTheLargestMeasuresThatFitTheBuffer) {
  const Explanation explanation = explained(awkward());
  const LayerExplanation& wide = layer_of(explanation, "wide");
  ASSERT_EQ(wide.advice.size(), 1u);
  EXPECT_EQ(wide.advice[0].id, "conv.cbuf");
  EXPECT_THAT(wide.advice[0].text, HasSubstr("at most 80 columns (has 128)"));
  Net net;
  net.output(net.conv("wide", net.input("x", {1, 1024, 8, 80}), 64, 3, {1, 1}));
  EXPECT_EQ(layer_of(explained(net.graph), "wide").device, Device::Dla);
}

TEST(Explain, OffersTheRewriteWithAGain) {
  const Explanation explanation = explained(test::network("resnet50"));
  const LayerExplanation& average = layer_of(explanation, "avgpool");
  ASSERT_FALSE(average.advice.empty());
  EXPECT_EQ(average.advice[0].id, "average-pool");
  EXPECT_TRUE(average.advice[0].keeps_function);
  EXPECT_GT(average.advice[0].gain_seconds, 0);
}

TEST(Explain, SaysThatFp16IsSlowOnOrin) {
  EXPECT_THAT(explained(test::network("vgg16")).notes,
              testing::Contains(HasSubstr("slower than INT8")));
}

TEST(Explain, GivesNoReasonsForTheUsersOwnChoice) {
  const Explanation explanation = explained(awkward(), {{"swish", Device::Gpu}});
  const LayerExplanation& swish = layer_of(explanation, "swish");
  EXPECT_EQ(swish.wish, Device::Gpu);
  EXPECT_TRUE(swish.findings.empty() && swish.advice.empty());
}

TEST(Explain, SaysTheSameInJson) {
  const Explanation explanation = explained(awkward());
  const auto json = nlohmann::json::parse(explanation_json(explanation));
  EXPECT_EQ(json["schema"], "dlaexec.explain/1");
  ASSERT_EQ(json["layers"].size(), explanation.layers.size());
  EXPECT_EQ(json["layers"][0]["findings"][0]["rule"], "conv.cbuf");
  EXPECT_EQ(json["layers"][0]["advice"][0]["id"], "conv.cbuf");
  EXPECT_EQ(json["layers"][1]["segment"], explanation.layers[1].segment);
}

}  // namespace
}  // namespace dlaexec::place
