#include "quant/quant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "ir/text.h"
#include "support/net.h"

namespace dlaexec::quant {
namespace {

using ir::ActivationKind;
using ir::DataType;
using ir::Device;
using ir::ElementwiseKind;
using ir::Graph;
using ir::PoolKind;
using test::Net;
using testing::HasSubstr;

float range_of(const Graph& graph, std::string_view tensor) {
  const auto& scales = graph.value(*graph.find_value(tensor)).quantization.scales;
  return scales.size() == 1 ? 127.0f * scales[0] : 0;
}

DataType precision_of(const Graph& graph, std::string_view layer) {
  for (const ir::Node& node : graph.nodes)
    if (node.name == layer) return node.precision.value();
  ADD_FAILURE() << "no layer " << layer;
  return DataType::Bool;
}

Options int8_options() {
  Options options;
  options.int8 = true;
  return options;
}

Options dla_options() {
  Options options = int8_options();
  options.dla = dla::Target{};
  return options;
}

void wish_dla(Graph& graph) {
  for (ir::Node& node : graph.nodes) node.device = Device::Dla;
}

/// conv, max pooling, a branch of two convolutions, concatenation, sigmoid, fully connected.
Graph branches() {
  Net net;
  const auto x =
      net.pool("pool", PoolKind::Max, net.conv("c1", net.input("x", {1, 3, 16, 16}), 8, 3), 2, 2);
  const auto joined = net.concat("cat", {net.conv("c2", x, 8, 1), x});
  const auto y = net.activation("sig", joined, ActivationKind::Sigmoid);
  net.output(net.gemm("fc", net.flatten("flat", net.global_average("gap", y)), 10));
  return net.graph;
}

TEST(Assign, WithoutInt8WhatQdqLayersRoundStaysInFp32) {
  Graph graph = ir::parse(R"(graph @g(%x: f32[1,2,4,4]) {
    const %s = f32[] [0.5]
    const %z = i8[] [0]
    const %w = f32[3,2,1,1] [1, 2, 3, 4, 5, 6]
    %xq = quantize(%x, %s, %z) : i8[1,2,4,4]
    %xd = dequantize(%xq, %s, %z) : f32[1,2,4,4]
    %c = conv(%xd, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,3,4,4]
    %r = activation(%c) {kind=relu} : f32[1,3,4,4]
    %rq = quantize(%r, %s, %z) : i8[1,3,4,4]
    %rd = dequantize(%rq, %s, %z) : f32[1,3,4,4]
    %p = unary(%rd) {kind=abs} : f32[1,3,4,4]
    %y = unary(%p) {kind=neg} : f32[1,3,4,4]
    return %y
  })");
  Options options;
  options.fp16 = true;
  const Report report = assign(graph, options);
  EXPECT_EQ(report.between_qdq, 3);
  for (const char* layer : {"c", "r", "p"})
    EXPECT_EQ(precision_of(graph, layer), DataType::Float32) << layer;
  EXPECT_EQ(precision_of(graph, "y"), DataType::Float16);
}

TEST(FixedRanges, AreTrtexecs) {
  Graph graph = branches();
  EXPECT_EQ(assign(graph, int8_options()).source, RangeSource::Fixed);
  EXPECT_FLOAT_EQ(range_of(graph, "x"), 2);
  EXPECT_FLOAT_EQ(range_of(graph, "c1_out"), 4);
  EXPECT_FLOAT_EQ(range_of(graph, "pool_out"), 2);
  EXPECT_FLOAT_EQ(range_of(graph, "cat_out"), 4);
  EXPECT_FLOAT_EQ(range_of(graph, "c1_w"), 0) << "weights bring their own scales";
}

TEST(FixedRanges, AreWiderForNetworkInputsOfConcatenations) {
  Net net;
  net.output(net.concat("cat", {net.input("a", {1, 4, 8, 8}), net.input("b", {1, 4, 8, 8})}));
  assign(net.graph, int8_options());
  EXPECT_FLOAT_EQ(range_of(net.graph, "a"), 4);
}

TEST(FixedRanges, AreSaidOutLoud) {
  Graph graph = branches();
  const Report report = assign(graph, int8_options());
  log::Capture lines;
  log_report(report);
  EXPECT_THAT(lines.text(), HasSubstr("the outputs mean nothing"));
}

TEST(GivenScales, WinAndLeaveOtherTensorsWithout) {
  Graph graph = branches();
  Options options = int8_options();
  options.scales = {{"x", 1.0f / 127}, {"c1_out", 3.0f / 127}};
  const Report report = assign(graph, options);
  EXPECT_EQ(report.source, RangeSource::Given);
  EXPECT_FLOAT_EQ(range_of(graph, "c1_out"), 3);
  EXPECT_FLOAT_EQ(range_of(graph, "pool_out"), 3) << "max pooling keeps the range";
  EXPECT_EQ(precision_of(graph, "c1"), DataType::Int8);
  EXPECT_EQ(precision_of(graph, "c2"), DataType::Float32);
  EXPECT_THAT(report.tensors_without_scale, testing::Contains("c2_out"));
}

TEST(GivenScales, MustBePositiveNumbers) {
  for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    Graph graph = branches();
    Options options = int8_options();
    options.scales = {{"x", scale}};
    EXPECT_THROW(assign(graph, options), Error) << scale;
  }
}

TEST(DlaRanges, AreSharedByConcatenationAndPooling) {
  Graph graph = branches();
  wish_dla(graph);
  const Report report = assign(graph, dla_options());
  for (const char* tensor : {"c1_out", "pool_out", "c2_out", "cat_out"})
    EXPECT_FLOAT_EQ(range_of(graph, tensor), 4) << tensor;
  ASSERT_EQ(report.range_changes.size(), 1u);
  EXPECT_EQ(report.range_changes[0].tensor, "pool_out");
  EXPECT_FLOAT_EQ(report.range_changes[0].before, 2);
}

TEST(DlaRanges, OfElementwiseInputsBecomeTheLargerOne) {
  Net net;
  const auto a = net.input("a", {1, 4, 8, 8}), b = net.input("b", {1, 4, 8, 8});
  net.output(net.add("add", a, b));
  wish_dla(net.graph);
  Options options = dla_options();
  options.scales = {{"a", 1.0f / 127}, {"b", 5.0f / 127}, {"add_out", 6.0f / 127}};
  assign(net.graph, options);
  EXPECT_FLOAT_EQ(range_of(net.graph, "a"), 5);
  EXPECT_FLOAT_EQ(range_of(net.graph, "b"), 5);
  EXPECT_FLOAT_EQ(range_of(net.graph, "add_out"), 6);
}

TEST(DlaRanges, StayAsTheyAreOnTheGpu) {
  Graph graph = branches();
  EXPECT_TRUE(assign(graph, int8_options()).range_changes.empty());
  EXPECT_FLOAT_EQ(range_of(graph, "pool_out"), 2);
}

TEST(DlaPrecision, OfSigmoidTanhAndLrnIsFp16) {
  Graph graph = branches();
  wish_dla(graph);
  const Report report = assign(graph, dla_options());
  EXPECT_EQ(precision_of(graph, "sig"), DataType::Float16);
  EXPECT_EQ(precision_of(graph, "cat"), DataType::Int8);
  const auto about_sig = [](const PrecisionNote& note) { return note.layer == "sig"; };
  EXPECT_TRUE(std::any_of(report.notes.begin(), report.notes.end(), about_sig));
}

TEST(DlaPrecision, IsFp16WhenNothingIsAllowed) {
  Graph graph = branches();
  wish_dla(graph);
  Options options;
  options.dla = dla::Target{};
  assign(graph, options);
  EXPECT_EQ(precision_of(graph, "c1"), DataType::Float16);
}

TEST(DlaPrecision, OfABilinearResizeIsFp16WhenItsInputIsWider) {
  for (const bool wider : {true, false}) {
    Net net;
    ir::ResizeAttributes attributes;
    attributes.mode = ir::ResizeMode::Linear;
    const auto x = net.input("x", {1, 4, 8, 8});
    const auto scales = net.constant("scales", ir::Tensor::of<float>({4}, {1, 1, 2, 2}));
    net.output(net.node("up", ir::Op::Resize, {x, ir::kNoValue, scales}, attributes));
    wish_dla(net.graph);
    Options options = dla_options();
    options.scales = {{"x", wider ? 2.0f : 1.0f}, {"up_out", wider ? 1.0f : 2.0f}};
    assign(net.graph, options);
    EXPECT_EQ(precision_of(net.graph, "up"), wider ? DataType::Float16 : DataType::Int8);
  }
}

TEST(LayerPrecisions, PreferTheirNamesToPatterns) {
  Graph graph = branches();
  Options options = int8_options();
  options.fp16 = true;
  options.constraints = Constraints::Prefer;
  options.layer_precisions = {{"*", DataType::Float16},
                              {"c*", DataType::Float32},
                              {"c2", DataType::Int8},
                              {"z", DataType::Int8}};
  const Report report = assign(graph, options);
  EXPECT_EQ(precision_of(graph, "pool"), DataType::Float16);
  EXPECT_EQ(precision_of(graph, "c1"), DataType::Float32);
  EXPECT_EQ(precision_of(graph, "c2"), DataType::Int8);
  EXPECT_THAT(report.unmatched_patterns, testing::ElementsAre("z"));
}

TEST(LayerPrecisions, DoNothingWithoutConstraintsOffTheDla) {
  Graph graph = branches();
  Options options = int8_options();
  options.layer_precisions = {{"c1", DataType::Float32}};
  assign(graph, options);
  EXPECT_EQ(precision_of(graph, "c1"), DataType::Int8);
}

TEST(LayerPrecisions, EndTheBuildWhenTheyMustBeObeyedAndCannot) {
  Graph graph = branches();
  Options options = int8_options();
  options.constraints = Constraints::Obey;
  options.layer_precisions = {{"c1", DataType::Float16}};
  try {
    assign(graph, options);
    FAIL() << "fp16 was not allowed";
  } catch (const Error& error) {
    EXPECT_THAT(error.sentence(), HasSubstr("--fp16 is not given"));
  }
}

TEST(Precision, StaysAwayFromLayersOnIntegers) {
  Net net;
  const auto x = net.input("x", {1, 4, 8, 8});
  net.output(net.node("shape", ir::Op::Shape, {x}));
  assign(net.graph, int8_options());
  EXPECT_FALSE(net.graph.nodes[0].precision.has_value());
}

TEST(Precision, IsGivenInANetworkWithALoopWithoutATripCount) {
  Graph graph = ir::parse(R"(graph @g(%x: f32[1], %more: bool[]) {
    %y = loop(_, %more, %x) {body=
      graph @body(%i: i64[], %go: bool[], %state: f32[1]) {
        %stop = identity(%go) : bool[]
        %next = unary(%state) {kind=neg} : f32[1]
        return %stop, %next
      }
    } : f32[1]
    %z = unary(%y) {kind=abs} : f32[1]
    return %z
  })");
  Options options;
  options.fp16 = true;
  assign(graph, options);
  EXPECT_EQ(precision_of(graph, "z"), DataType::Float16);
}

TEST(Calibration, IsAskedForTheNetworkWithoutCacheOrQdq) {
  Graph graph = branches();
  Options options = int8_options();
  options.scales_from = "calibration on 'pictures'";
  options.calibrate = [](const Graph& asked) {
    Scales scales;
    for (const ir::Value& value : asked.values)
      if (!value.constant) scales[value.name] = 3.0f / 127;
    return scales;
  };
  const Report report = assign(graph, options);
  EXPECT_EQ(report.source, RangeSource::Calibrated);
  EXPECT_FLOAT_EQ(range_of(graph, "c1_out"), 3);
  EXPECT_FLOAT_EQ(report.scales.at("c1_out"), 3.0f / 127);
  log::Capture lines;
  log_report(report);
  EXPECT_THAT(lines.text(), HasSubstr("are from calibration on 'pictures'"));
}

TEST(Calibration, LayersThatItLiftsLeaveInt8WithTheReason) {
  Graph graph = branches();
  Options options = int8_options();
  options.fp16 = true;
  options.calibrate = [](const Graph& asked) {
    Scales scales;
    for (const ir::Value& value : asked.values) scales[value.name] = 1.0f / 127;
    return scales;
  };
  options.lift = [](const Graph& ranged, const Options& settled) {
    EXPECT_FLOAT_EQ(ranged.value(ranged.find_value("c1_out").value()).quantization.scales[0],
                    1.0f / 127);
    EXPECT_FALSE(settled.calibrate || settled.lift);
    Lifted lifted;
    lifted.layers["c1"] = "it is noisy";
    return lifted;
  };
  const Report report = assign(graph, options);
  EXPECT_EQ(graph.nodes[0].name, "c1");
  EXPECT_EQ(graph.nodes[0].precision, DataType::Float16);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_EQ(report.notes[0].reason, "it is noisy");
}

TEST(Report, SaysWhatCanBeDoneWhereTheCosineIsMissed) {
  Report report;
  report.lifted.samples = 4;
  report.lifted.least_cosine = 0.99;
  report.lifted.cosine_before = report.lifted.cosine_after = 0.5;
  const auto said = [&] {
    log::Capture lines;
    log_report(report);
    return lines.text();
  };
  EXPECT_THAT(said(), HasSubstr("no step computes in INT8"));
  report.lifted.of = 3;
  EXPECT_THAT(said(), HasSubstr("with --fp16 the layers"));
  report.lifted.layers["c1"] = "it is noisy";
  EXPECT_THAT(said(), HasSubstr("0.5000, which is still less"));
  report.lifted.cosine_after = 0.995;
  EXPECT_THAT(said(), testing::Not(HasSubstr("still less")));
}

TEST(Report, KeepsTheScalesThatTheDlaWidened) {
  Graph graph = branches();
  wish_dla(graph);
  Options options = dla_options();
  options.calibrate = [](const Graph& asked) {
    Scales scales;
    for (const ir::Value& value : asked.values) scales[value.name] = 1.0f / 127;
    scales["c2_out"] = 5.0f / 127;
    return scales;
  };
  const Report report = assign(graph, options);
  EXPECT_FLOAT_EQ(range_of(graph, "pool_out"), 5) << "concatenation: the largest range wins";
  EXPECT_FLOAT_EQ(report.scales.at("pool_out"), 1.0f / 127) << "a cache holds what was measured";
  EXPECT_FALSE(report.precisions.empty());
}

/// Two convolutions added up; the first one's output also goes on by itself.
Graph skip_connection() {
  Net net;
  const auto near = net.conv("near", net.input("x", {1, 8, 8, 8}), 8, 1);
  const auto far = net.conv("far", near, 8, 1);
  net.output(net.eltwise("add", ElementwiseKind::Sum, near, far));
  return net.graph;
}

Report assign_skip(Graph& graph, float far_range, bool fp16) {
  wish_dla(graph);
  Options options = dla_options();
  options.fp16 = fp16;
  for (const char* tensor : {"x", "near_out", "add_out"}) options.scales[tensor] = 1.0f / 127;
  options.scales["far_out"] = far_range / 127;
  return assign(graph, options);
}

TEST(UnequalRanges, MoveTheLayerToFp16InsteadOfRuiningATensor) {
  Graph graph = skip_connection();
  const Report report = assign_skip(graph, 100, true);
  EXPECT_EQ(precision_of(graph, "add"), DataType::Float16);
  EXPECT_EQ(precision_of(graph, "far"), DataType::Int8);
  EXPECT_FLOAT_EQ(range_of(graph, "near_out"), 1);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes.back().reason, HasSubstr("1/8 of its steps"));
}

TEST(UnequalRanges, AreSharedWhenTheyDifferLittleOrFp16IsNotAllowed) {
  Graph little = skip_connection();
  assign_skip(little, 4, true);
  EXPECT_EQ(precision_of(little, "add"), DataType::Int8);
  EXPECT_FLOAT_EQ(range_of(little, "near_out"), 4);
  Graph much = skip_connection();
  const Report report = assign_skip(much, 100, false);
  log::Capture lines;
  log_report(report);
  EXPECT_THAT(lines.text(), HasSubstr("most of all near_out (+-1 became +-100 for layer add)"));
  EXPECT_EQ(precision_of(much, "add"), DataType::Int8);
  EXPECT_FLOAT_EQ(range_of(much, "near_out"), 100);
}

}  // namespace
}  // namespace dlaexec::quant
