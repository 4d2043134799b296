// The fast code of the units beside the convolutions against the scalar code, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dla/core/core.h"
#include "ir/text.h"
#include "support/dla_segments.h"

namespace dlaexec::dla {
namespace {

using ir::DataType;

/// Every bit pattern may come: NaN, infinities and subnormals among halves.
std::vector<ir::Tensor> wild_inputs(const ir::Graph& segment, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<ir::Tensor> inputs = test::seeded_inputs(segment, seed);
  for (ir::Tensor& input : inputs) {
    input = input.clone();
    for (std::byte& byte : input.mutable_bytes()) byte = static_cast<std::byte>(random());
  }
  return inputs;
}

void expect_equal_bits(const ir::Graph& segment, uint64_t seed,
                       Generation generation = Generation::Orin) {
  const Loadable loadable = test::compiled(segment, generation);
  for (const auto& inputs : {test::seeded_inputs(segment, seed), wild_inputs(segment, seed)}) {
    const std::vector<ir::Tensor> scalar = test::run_dla(loadable, inputs);
    for (const core::Isa isa : core::usable_isas()) {
      const std::vector<ir::Tensor> made = test::run_dla(loadable, inputs, isa);
      for (size_t i = 0; i < made.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(made[i].bytes(), scalar[i].bytes()))
            << ir::text(isa) << '\n'
            << ir::print(segment, ir::Constants::Hash);
    }
  }
}

/// "f16[1,40,48,50]", "i8[1,40,48,50] q(0.02)": more elements than any table has results.
std::string type_text(DataType type, const char* shape, const char* scale) {
  return format("{}[{}]{}", ir::text(type), shape,
                type == DataType::Int8 ? format(" q({})", scale) : "");
}

ir::Graph layer_segment(DataType from, DataType to, const char* constants, const char* layer,
                        const char* shape) {
  return ir::parse(format("graph @g(%x: {}) {{\n{}\n %y = {} : {}\n return %y\n}}\n",
                          type_text(from, "1,40,48,50", "0.02"), constants, layer,
                          type_text(to, shape, "0.031")));
}

TEST(CoreUnits, PointwiseLayersByTableEqualScalarOnes) {
  const char* layers[][2] = {
      {"", "activation(%x) {kind=relu}"},
      {"", "activation(%x) {kind=leaky_relu, alpha=0.1}"},
      {"", "activation(%x) {kind=sigmoid}"},
      {"", "activation(%x) {kind=tanh}"},
      {"", "unary(%x) {kind=abs}"},
      {"const %s = f32[40] seed(4)\n const %b = f32[40] seed(5)", "scale(%x, %s, %b)"},
      {"const %s = f32[1] [0.75]\n const %b = f32[1] [-0.5]", "scale(%x, %s, %b)"},
  };
  for (const auto& [constants, layer] : layers)
    for (const DataType type : {DataType::Int8, DataType::Float16})
      expect_equal_bits(layer_segment(type, type, constants, layer, "1,40,48,50"), 7);
}

TEST(CoreUnits, ConversionsByTableEqualScalarOnes) {
  for (const DataType from : {DataType::Int8, DataType::Float16})
    for (const DataType to : {DataType::Int8, DataType::Float16})
      if (from != to)
        expect_equal_bits(layer_segment(from, to, "", "reformat(%x)", "1,40,48,50"), 8);
}

TEST(CoreUnits, TwoInt8TensorsByTableEqualScalarOnes) {
  for (const char* kind : {"sum", "sub", "prod", "max", "min"})
    for (const char* b_scale : {"0.02", "0.013"})
      expect_equal_bits(
          ir::parse(format("graph @g(%a: {}, %b: {}) {{\n %y = elementwise(%a, %b) {{kind={}}} : "
                           "{}\n return %y\n}}\n",
                           type_text(DataType::Int8, "2,40,30,33", "0.02"),
                           type_text(DataType::Int8, "2,40,30,33", b_scale), kind,
                           type_text(DataType::Int8, "2,40,30,33", "0.03"))),
          9);
}

TEST(CoreUnits, PoolingOfBlocksEqualsScalarPooling) {
  const char* pools[][2] = {
      {"pool(%x) {kind=max, kernel=[3,3], stride=[2,2], pads=[1,1,1,1], dilation=[1,1]}",
       "1,40,24,25"},
      {"pool(%x) {kind=max, kernel=[3,3], stride=[1,1], pads=[1,1,1,1], dilation=[1,1]}",
       "1,40,48,50"},
      {"pool(%x) {kind=average, kernel=[8,8], stride=[2,3], pads=[0,0,0,0], dilation=[1,1]}",
       "1,40,21,15"},
      {"pool(%x) {kind=average, kernel=[3,2], stride=[1,1], pads=[1,1,1,0], dilation=[1,1], "
       "count_include_pad=true}",
       "1,40,48,50"},
  };
  for (const auto& [layer, shape] : pools)
    for (const DataType type : {DataType::Int8, DataType::Float16})
      expect_equal_bits(ir::parse(format("graph @g(%x: {}) {{\n %y = {} : {}\n return %y\n}}\n",
                                         type_text(type, "1,40,48,50", "0.02"), layer,
                                         type_text(type, shape, "0.02"))),
                        10);
}

TEST(CoreUnits, NormalizationByRowsEqualsScalarOne) {
  for (const char* size : {"3", "5", "9"})
    for (const char* alpha : {"0.0001", "0.1", "30"})
      for (const DataType type : {DataType::Float16, DataType::Int8})
        expect_equal_bits(
            layer_segment(
                type, type, "",
                format("lrn(%x) {{size={}, alpha={}, beta=0.75, bias=1}}", size, alpha).c_str(),
                "1,40,48,50"),
            11);
}

/// x * sigmoid(x) as a network in INT8 has it.
ir::Graph silu_segment(const char* shape) {
  return ir::parse(
      format("graph @g(%x: i8[{0}] q(0.05)) {{\n"
             " %h = reformat(%x) : f16[{0}]\n"
             " %s = activation(%h) {{kind=sigmoid}} : f16[{0}]\n"
             " %i = reformat(%s) : i8[{0}] q(0.007874)\n"
             " %y = elementwise(%x, %i) {{kind=prod}} : i8[{0}] q(0.05)\n"
             " return %y\n}}\n",
             shape));
}

TEST(CoreUnits, SiluIsOneOperationOnOrinAndTwoOnXavier) {
  const ir::Graph segment = silu_segment("1,40,48,50");
  EXPECT_EQ(test::compiled(segment, Generation::Orin).operations.size(), 1u);
  EXPECT_EQ(test::compiled(segment, Generation::Xavier).operations.size(), 2u);
  for (const Generation generation : {Generation::Orin, Generation::Xavier}) {
    expect_equal_bits(segment, 12, generation);
    // Fewer roundings than the network's layers one by one, which ref makes: of the sigmoid to
    // 1/127, times x of up to 127 steps.
    EXPECT_LE(test::difference_from_ref(segment, generation), 1);
  }
}

TEST(CoreUnits, ATableWhoseResultOthersUseKeepsItsConversions) {
  const ir::Graph segment = ir::parse(
      "graph @g(%x: i8[1,40,6,7] q(0.05)) {\n"
      " %h = reformat(%x) : f16[1,40,6,7]\n"
      " %s = activation(%h) {kind=sigmoid} : f16[1,40,6,7]\n"
      " %i = reformat(%s) : i8[1,40,6,7] q(0.007874)\n"
      " %y = elementwise(%x, %i) {kind=prod} : i8[1,40,6,7] q(0.05)\n"
      " return %y, %s, %i\n}\n");
  EXPECT_EQ(test::compiled(segment).operations.size(), 3u);
  EXPECT_LE(test::difference_from_ref(segment), 1);
}

TEST(CoreUnits, MovesOfWholeBlocksArriveWhereSingleElementsDo) {
  for (const char* layer :
       {"slice(%x, %s, %e, %a) : f16[1,32,48,50]", "slice(%x, %s2, %e2, %a) : f16[1,21,48,50]",
        "concat(%x, %x) {axis=1} : f16[1,80,48,50]",
        "resize(%x, _, %f) {mode=nearest, coordinates=asymmetric, nearest=floor} : "
        "f16[1,40,96,150]"})
    EXPECT_EQ(test::difference_from_ref(ir::parse(format(
                  "graph @g(%x: f16[1,40,48,50]) {{\n const %s = i64[1] [0]\n const %e = i64[1] "
                  "[32]\n const %a = i64[1] [1]\n const %s2 = i64[1] [7]\n const %e2 = i64[1] "
                  "[28]\n const %f = f32[4] [1,1,2,3]\n %y = {}\n return %y\n}}\n",
                  layer))),
              0)
        << layer;
}

}  // namespace
}  // namespace dlaexec::dla
