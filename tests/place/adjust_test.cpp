#include "place/adjust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/infer.h"
#include "ir/verify.h"
#include "place/placement.h"
#include "quant/quant.h"
#include "ref/evaluate.h"
#include "support/net.h"
#include "support/random_graph.h"

namespace dlaexec::place {
namespace {

using ir::ActivationKind;
using ir::ElementwiseKind;
using ir::Graph;
using ir::PoolKind;
using ir::Tensor;
using test::Net;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr dla::Target kOrin{};

/// What was rewritten, after checking that the outputs stay what they were.
std::vector<std::string> adjusted(const Graph& before, Graph* after = nullptr,
                                  const dla::Target& target = kOrin) {
  Graph graph = before;
  for (ir::Node& node : graph.nodes) node.device = ir::Device::Dla;
  std::vector<std::string> ids;
  for (const Rewrite& rewrite : adjust_for_dla(graph, target)) ids.emplace_back(rewrite.id);
  EXPECT_EQ(ir::find_flaw(graph), "");
  const std::vector<Tensor> inputs = test::random_inputs(before, 7);
  const auto wanted = ref::run(before, inputs), got = ref::run(graph, inputs);
  EXPECT_EQ(wanted.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LT(test::relative_difference(got[i], wanted[i]), 1e-5);
    EXPECT_EQ(graph.value(graph.outputs[i]).name, before.value(before.outputs[i]).name);
  }
  if (after) *after = std::move(graph);
  return ids;
}

Graph global_average_of(ir::Dims dims) {
  Net net;
  net.output(net.global_average("gap", net.input("x", std::move(dims))));
  return net.graph;
}

TEST(Adjust, WritesAGlobalAverageAsTheSimplestThatTheDlaTakes) {
  EXPECT_THAT(adjusted(global_average_of({2, 16, 7, 7})), ElementsAre("average-pool"));
  EXPECT_THAT(adjusted(global_average_of({1, 8, 14, 32})), ElementsAre("average-pools"));
  EXPECT_THAT(adjusted(global_average_of({1, 8, 13, 11})), ElementsAre("average-conv"));
  EXPECT_THAT(adjusted(global_average_of({1, 8, 127, 127})), IsEmpty());
}

TEST(Adjust, WritesSlicesOfAConvolutionAsConvolutionsWithSplitWeights) {
  Net net;
  const auto c = net.conv("c", net.input("x", {2, 8, 6, 6}), 12, 3, {1, 1});
  const auto ints = [&](std::string_view name, int64_t value) {
    return net.constant(name, Tensor::of<int64_t>({1}, {value}));
  };
  const auto axis = ints("axis", 1);
  net.output(net.node("low", ir::Op::Slice, {c, ints("a", 0), ints("b", 5), axis}));
  net.output(net.node("high", ir::Op::Slice, {c, ints("d", -7), ints("e", 99), axis}));
  Graph after;
  const dla::Target xavier{dla::Generation::Xavier, dla::Edition::V8_5, ir::DataType::Float16};
  EXPECT_THAT(adjusted(net.graph, &after, xavier), ElementsAre("slice-conv", "slice-conv"));
  EXPECT_EQ(after.nodes.size(), 2u) << "nobody needs the whole convolution any more";
  EXPECT_THAT(adjusted(net.graph), IsEmpty()) << "Orin slices by itself";
}

TEST(Adjust, WritesAFullyConnectedLayerAsAConvolutionAndTheLayersBehindItFollow) {
  Net net;
  auto x = net.flatten("flat", net.input("x", {2, 8, 3, 3}));
  x = net.relu("relu", net.gemm("fc1", x, 12));
  net.output(net.gemm("fc2", x, 5));
  Graph after;
  EXPECT_THAT(adjusted(net.graph, &after), ElementsAre("fc-conv", "activation-first", "fc-conv"));
  for (const ir::Node& node : after.nodes) EXPECT_NE(node.op, ir::Op::Gemm) << node.name;
}

TEST(Adjust, KeepsScalesAndTranspositionOfProducts) {
  for (const bool transposed : {false, true}) {
    Net net;
    ir::GemmAttributes gemm;
    gemm.transpose_b = transposed;
    gemm.scale_ab = 0.5f;
    gemm.scale_c = -2;
    const auto x = net.flatten("flat", net.input("x", {1, 6, 1, 1}));
    const auto w = net.weights("w", transposed ? ir::Dims{4, 6} : ir::Dims{6, 4});
    net.output(net.node("fc", ir::Op::Gemm, {x, w, net.weights("b", {1, 4})}, gemm));
    EXPECT_THAT(adjusted(net.graph), ElementsAre("fc-conv"));
  }
}

TEST(Adjust, SlicesThePaddingOfADeconvolutionOff) {
  for (const int64_t extra : {0, 1}) {
    Net net;
    net.deconv("up", net.input("x", {1, 6, 5, 4}), 3, 3, {2, 1});
    ir::DeconvAttributes attributes = net.last().get<ir::DeconvAttributes>();
    attributes.output_padding = {extra, extra};
    const std::vector<ir::ValueId> inputs = net.last().inputs;
    net.graph.nodes.clear();
    net.output(net.node("l", ir::Op::Deconv, inputs, attributes));
    EXPECT_THAT(adjusted(net.graph), ElementsAre("deconv-slice"));
  }
}

TEST(Adjust, LeavesAPaddedDeconvolutionWhereTheDlaHasNoSlice) {
  Net net;
  net.output(net.deconv("up", net.input("x", {1, 6, 5, 4}), 3, 3, {2, 1}));
  EXPECT_THAT(adjusted(net.graph, nullptr, {dla::Generation::Xavier, dla::Edition::V8_5, {}}),
              IsEmpty());
}

TEST(Adjust, SpellsActivationsOut) {
  const std::pair<ActivationKind, const char*> cases[] = {
      {ActivationKind::HardSwish, "hard-swish"},
      {ActivationKind::HardSigmoid, "hard-sigmoid"},
      {ActivationKind::Silu, "silu"}};
  for (const auto& [kind, id] : cases) {
    Net net;
    net.output(net.activation("act", net.input("x", {1, 8, 4, 4}), kind, 0.2f, 0.5f));
    EXPECT_THAT(adjusted(net.graph), ElementsAre(id));
  }
}

TEST(Adjust, TurnsArithmeticIntoWhatTheDlaHas) {
  Net net;
  auto x = net.input("x", {1, 8, 4, 4});
  x = net.eltwise("div", ElementwiseKind::Div, x, net.constant("three", Tensor::scalar<float>(3)));
  x = net.eltwise("pow", ElementwiseKind::Pow, x, net.constant("two", Tensor::scalar<float>(2)));
  ir::UnaryAttributes negate;
  negate.kind = ir::UnaryKind::Neg;
  net.output(net.node("neg", ir::Op::Unary, {x}, negate));
  EXPECT_THAT(adjusted(net.graph), ElementsAre("reciprocal", "square", "negate"));
}

TEST(Adjust, TouchesNothingThatTheDlaTakesOrThatWishesTheGpu) {
  Net net;
  net.output(net.global_average("gap", net.relu("relu", net.input("x", {1, 8, 7, 7}))));
  for (ir::Node& node : net.graph.nodes) node.device = ir::Device::Gpu;
  EXPECT_TRUE(adjust_for_dla(net.graph, kOrin).empty());
  EXPECT_EQ(net.graph.nodes[1].op, ir::Op::Reduce);
}

TEST(Adjust, PutsAllOfResNet50OnTheDlaButTheLastFlatten) {
  Graph graph = test::network("resnet50");
  Options options;
  options.platform = &dla::platform("agx-orin-64");
  options.default_device = ir::Device::Dla;
  options.gpu_fallback = true;
  choose_devices(graph, options);
  EXPECT_EQ(adjust_for_dla(graph, kOrin).size(), 2u);
  quant::Options precisions;
  precisions.dla = kOrin;
  quant::assign(graph, precisions);
  const Placement placement = partition(graph, options);
  ASSERT_EQ(placement.segments.size(), 1u);
  EXPECT_EQ(placement.segments[0].name, "{ForeignNode[conv1...fc/conv]}");
}

TEST(Adjust, KeepsTheFunctionOfRandomNetworks) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    adjusted(test::random_network(seed, 12));
  }
}

}  // namespace
}  // namespace dlaexec::place
