#include "quant/explicit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"
#include "quant/quant.h"

namespace dlaexec::quant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kConv = R"(graph @g(%x: f32[1,2,4,4]) {
  const %s = f32[] [0.5]
  const %z = i8[] [0]
  const %w8 = i8[3,2,1,1] [1, 2, 3, 4, 5, 6]
  const %ws = f32[3] [0.1, 0.2, 0.3]
  %xq = quantize(%x, %s, %z) : i8[1,2,4,4]
  %xd = dequantize(%xq, %s, %z) : f32[1,2,4,4]
  %wd = dequantize(%w8, %ws, _) {axis=0} : f32[3,2,1,1]
  %c = conv(%xd, %wd) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,3,4,4]
  %r = activation(%c) {kind=relu} : f32[1,3,4,4]
  %rq = quantize(%r, %s, %z) : i8[1,3,4,4]
  %p = pool(%rq) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : i8[1,3,2,2]
  %pd = dequantize(%p, %s, %z) : f32[1,3,2,2]
  %y = unary(%pd) {kind=abs} : f32[1,3,2,2]
  return %y
})";

TEST(RemoveExplicit, ScalesMoveToTheRealTensorsAndTheLayersAreGone) {
  ir::Graph graph = ir::parse(kConv);
  const Translation translation = remove_explicit(graph);
  EXPECT_EQ(translation.removed, 5);
  EXPECT_TRUE(translation.kept.empty());
  EXPECT_EQ(derive_scales(graph), std::vector<std::string>{"c"});
  EXPECT_EQ(ir::print(graph), R"(graph @g(%x: f32[1,2,4,4] q(0.5)) {
  const %wd_real = i8[3,2,1,1] q(axis=0, 0.1, 0.2, 0.3) [1, 2, 3, 4, 5, 6]
  %c = conv(%x, %wd_real) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], groups=1, residual=false, activation=none, alpha=0, beta=0} : f32[1,3,4,4] q(0.5)
  %r = activation(%c) {kind=relu, alpha=0, beta=0} : f32[1,3,4,4] q(0.5)
  %p = pool(%r) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1], ceil_mode=false, count_include_pad=false, p=2} : f32[1,3,2,2] q(0.5)
  %y = unary(%p) {kind=abs, detect_negative=true, detect_positive=true} : f32[1,3,2,2]
  return %y
}
)");
}

TEST(RemoveExplicit, AnUnsignedTensorBecomesSymmetricOverAllItCanHold) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[4]) {
    const %s = f32[] [0.5]
    const %z = u8[] [100]
    %q = quantize(%x, %s, %z) {to=u8} : u8[4]
    %d = dequantize(%q, %s, %z) : f32[4]
    %y = unary(%d) : f32[4]
    return %y
  })");
  const Translation translation = remove_explicit(graph);
  EXPECT_THAT(translation.made_symmetric, ElementsAre("x"));
  EXPECT_FLOAT_EQ(graph.value(graph.inputs[0]).quantization.scales[0], 155 * 0.5f / 127);
}

TEST(RemoveExplicit, AnUnsignedTensorWithoutNumbersBelowZeroKeepsWhatItsRoundingCutOff) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[4]) {
    const %s = f32[] [0.5]
    const %z = u8[] [0]
    %a = unary(%x) {kind=neg} : f32[4]
    %q = quantize(%a, %s, %z) {to=u8} : u8[4]
    %d = dequantize(%q, %s, %z) : f32[4]
    %b = activation(%d) {kind=sigmoid} : f32[4]
    %q2 = quantize(%b, %s, %z) {to=u8} : u8[4]
    %d2 = dequantize(%q2, %s, %z) : f32[4]
    %y = unary(%d2) : f32[4]
    return %y
  })");
  remove_explicit(graph);
  std::vector<std::string> names;
  for (const ir::Node& node : graph.nodes) names.push_back(node.name);
  EXPECT_THAT(names, ElementsAre("a", "q", "b", "y")) << ir::print(graph);
  EXPECT_EQ(graph.nodes[1].get<ir::ActivationAttributes>().kind, ir::ActivationKind::Relu);
  EXPECT_FLOAT_EQ(graph.value(graph.nodes[1].outputs[0]).quantization.scales[0], 255 * 0.5f / 127);
}

TEST(RemoveExplicit, AConstantThatIsQuantizedIsNoRelu) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[4]) {
    const %s = f32[] [0.5]
    const %z = u8[] [0]
    const %a = f32[4] [-1, 0.3, 1, 2]
    %q = quantize(%a, %s, %z) {to=u8} : u8[4]
    %d = dequantize(%q, %s, %z) : f32[4]
    %y = elementwise(%x, %d) {kind=sum} : f32[4]
    return %y
  })");
  const Translation translation = remove_explicit(graph);
  EXPECT_EQ(graph.nodes[0].op, ir::Op::Quantize) << ir::print(graph);
  EXPECT_THAT(translation.kept, ElementsAre("q", "d"));
}

/// An operator on integers as the importer leaves it: its layers have a precision already.
ir::Graph negation_of_integers() {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[4]) {
    const %s = f32[] [0.5]
    const %one = f32[] [1]
    const %z = u8[] [100]
    %q = quantize(%x, %s, %z) {to=u8} : u8[4]
    %d = dequantize(%q, %one, %z) : f32[4]
    %n = unary(%d) {kind=neg} : f32[4]
    %qn = quantize(%n, %one, %z) {to=u8} : u8[4]
    %dn = dequantize(%qn, %s, %z) : f32[4]
    %y = unary(%dn) : f32[4]
    return %y
  })");
  for (ir::Node& node : graph.nodes)
    if (node.name == "d" || node.name == "n" || node.name == "qn")
      node.precision = ir::DataType::Float32;
  return graph;
}

TEST(RemoveExplicit, WhatAnOperatorOnIntegersIsMadeOfStays) {
  ir::Graph graph = negation_of_integers();
  EXPECT_EQ(remove_explicit(graph).removed, 0);
  Options options;
  options.fp16 = true;
  const Report report = assign(graph, options);
  EXPECT_EQ(graph.nodes[2].precision, ir::DataType::Float32);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_EQ(report.notes[0].layer, "n");
  EXPECT_THAT(report.notes[0].reason, HasSubstr("integers"));
}

TEST(LayerPrecisions, OfALayerThatHoldsIntegersAreRefusedOrNoted) {
  ir::Graph graph = negation_of_integers();
  Options options;
  options.fp16 = options.int8 = true;
  options.layer_precisions = {{"n", ir::DataType::Float16}};
  options.constraints = Constraints::Prefer;
  const Report report = assign(graph, options);
  EXPECT_EQ(graph.nodes[2].precision, ir::DataType::Float32);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_EQ(report.notes[0].layer, "n");
  EXPECT_EQ(report.notes[0].wanted, ir::DataType::Float16);

  options.constraints = Constraints::Obey;
  graph = negation_of_integers();
  try {
    assign(graph, options);
    FAIL() << "a layer on integers cannot compute in FP16";
  } catch (const Error& error) {
    EXPECT_THAT(error.sentence(), HasSubstr("layer 'n' cannot compute in f16"));
  }
}

TEST(RemoveExplicit, OtherConstantsBecomeTheNumbersTheyStandFor) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,2]) {
    const %s = f32[2] [0.5, 2]
    const %b = i32[2] [3, -4]
    %d = dequantize(%b, %s, _) {axis=0} : f32[2]
    %y = elementwise(%x, %d) : f32[1,2]
    return %y
  })");
  EXPECT_EQ(remove_explicit(graph).removed, 1);
  EXPECT_THAT(ir::print(graph), HasSubstr("%d_real = f32[2] [1.5, -8]"));
}

TEST(RemoveExplicit, IntegersFromAndToTheOutsideKeepTheirLayers) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: i8[4]) {
    const %s = f32[] [0.5]
    const %z = i8[] [0]
    %d = dequantize(%x, %s, %z) : f32[4]
    %u = unary(%d) : f32[4]
    %q = quantize(%u, %s, %z) : i8[4]
    return %q
  })");
  const Translation translation = remove_explicit(graph);
  EXPECT_EQ(translation.removed, 0);
  EXPECT_THAT(translation.kept, ElementsAre("d", "q"));
}

TEST(RemoveExplicit, OfSeveralScalesTheLargestWins) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[4]) {
    const %s = f32[] [0.5]
    const %t = f32[] [0.25]
    const %z = i8[] [0]
    %q1 = quantize(%x, %s, %z) : i8[4]
    %d1 = dequantize(%q1, %s, %z) : f32[4]
    %q2 = quantize(%x, %t, %z) : i8[4]
    %d2 = dequantize(%q2, %t, %z) : f32[4]
    %y = elementwise(%d1, %d2) : f32[4]
    return %y
  })");
  remove_explicit(graph);
  EXPECT_FLOAT_EQ(graph.value(graph.inputs[0]).quantization.scales[0], 0.5f);
}

TEST(Assign, LayersBetweenQdqLayersComputeInInt8AndTheOthersDoNot) {
  ir::Graph graph = ir::parse(kConv);
  Options options;
  options.int8 = options.fp16 = true;
  const Report report = assign(graph, options);
  EXPECT_EQ(report.source, RangeSource::Explicit);
  for (const ir::Node& node : graph.nodes)
    EXPECT_EQ(node.precision, node.name == "y" ? ir::DataType::Float16 : ir::DataType::Int8)
        << node.name;
}

TEST(DeriveScales, GoBackThroughConcatenationToThoseThatItAloneUses) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,2,4,4], %y: f32[1,2,4,4]) {
    %a = activation(%x) {kind=relu} : f32[1,2,4,4]
    %b = activation(%y) {kind=relu} : f32[1,2,4,4]
    %both = concat(%a, %b) {axis=1} : f32[1,4,4,4] q(0.5)
    %z = unary(%b) {kind=abs} : f32[1,2,4,4]
    return %both, %z
  })");
  EXPECT_THAT(derive_scales(graph), ElementsAre("a", "x")) << "b is used elsewhere, too";
}

TEST(DeriveNearScales, FollowPoolingConcatenationAndSums) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,2,4,4] q(0.5), %y: f32[1,2,4,4] q(0.25)) {
    %sum = elementwise(%x, %y) {kind=sum} : f32[1,2,4,4]
    %most = elementwise(%x, %y) {kind=max} : f32[1,2,4,4]
    %pooled = pool(%sum) {kind=average, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : f32[1,2,2,2]
    %product = elementwise(%pooled, %pooled) {kind=prod} : f32[1,2,2,2]
    return %product, %most
  })");
  EXPECT_THAT(derive_near_scales(graph), ElementsAre("sum", "most", "pooled"));
  const auto scale = [&](const char* name) {
    return graph.value(*graph.find_value(name)).quantization.scales.at(0);
  };
  EXPECT_FLOAT_EQ(scale("sum"), 0.75f);
  EXPECT_FLOAT_EQ(scale("most"), 0.5f);
  EXPECT_FLOAT_EQ(scale("pooled"), 0.75f);
}

TEST(DeriveNearScales, InputsOfAConcatenationTakeItsScale) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,2,4,4], %y: f32[1,2,4,4] q(0.25)) {
    %a = unary(%x) {kind=abs} : f32[1,2,4,4]
    %both = concat(%a, %y) {axis=1} : f32[1,4,4,4] q(0.5)
    return %both
  })");
  EXPECT_THAT(derive_near_scales(graph), ElementsAre("a"));
}

TEST(QdqLayers, KeptOnesLeaveTheNetworkAsItIs) {
  ir::Graph graph = ir::parse(kConv);
  const size_t nodes = graph.nodes.size();
  Options options;
  options.int8 = true;
  options.qdq = QdqLayers::Kept;
  EXPECT_EQ(assign(graph, options).source, RangeSource::Explicit);
  EXPECT_EQ(graph.nodes.size(), nodes);
}

}  // namespace
}  // namespace dlaexec::quant
