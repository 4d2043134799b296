#include "dla/compile/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"
#include "support/dla_segments.h"

namespace dlaexec::dla {
namespace {

using ir::DataType;
using testing::HasSubstr;

CompileOptions options_for(Generation generation) {
  return {generation, default_pools(generation)};
}

std::string refusal(const std::string& text,
                    CompileOptions options = options_for(Generation::Orin)) {
  const std::optional<Refusal> found = test::refusal_of(ir::parse(text), options);
  return found ? found->what() : "";
}

Tiling tiling_of(const test::ConvCase& conv, DataType type,
                 Generation generation = Generation::Orin) {
  const Loadable loadable = test::compiled(test::conv_segment(conv, type), generation);
  return loadable.operations[0].tiling;
}

TEST(Compile, ASegmentBecomesTheOperationsOfTheHardware) {
  const Loadable loadable = test::compiled(ir::parse(
      R"(graph @g(%x: i8[1,3,32,32] q(0.02)) {
           const %w = i8[64,3,3,3] q(0.01) seed(1)
           const %b = f32[64] splat(0.5)
           const %v = i8[64,64,1,1] q(0.01) seed(2)
           %c = conv(%x, %w, %b) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], activation=relu} : i8[1,64,32,32] q(0.1) from("conv", "relu")
           %p = pool(%c) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : i8[1,64,16,16] q(0.1)
           %d = conv(%p, %v, _, %p) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], residual=true} : i8[1,64,16,16] q(0.2)
           return %d })"));
  EXPECT_EQ(
      print(loadable),
      "loadable g for orin: 3 operations, sram 80.0 KiB, local 0 B, global 6.0 KiB\n"
      "  input %x 1x3x32x32 i8 dla_hwc4 scale 0.0199999996\n"
      "  output %d 1x64x16x16 i8 chw32 scale 0.200000003\n"
      "  #0 conv i8 [conv, relu] %x 1x3x32x32 input -> %c 1x64x32x32 sram: 3x3 pad 1,1,1,1 "
      "image-input [mul per layer >> 8] [sum per channel << 3, relu] [out 1 >> 15] | "
      "all-resident banks 1+1 | moves 70.0 KiB\n"
      "  #1 pdp i8 [p] %c 1x64x32x32 sram -> %p 1x64x16x16 sram: max 2x2 stride 2x2 | moves "
      "80.0 KiB\n"
      "  #2 conv i8 [d] %p 1x64x16x16 sram -> %d 1x64x16x16 output: 1x1 [mul per layer >> 14] "
      "[sum %p * 128 >> 0] [out 1 >> 8] | all-resident banks 1+1 | moves 36.0 KiB\n");
}

TEST(Compile, TilingFollowsTheOpenCompilersModes) {
  test::ConvCase conv;
  conv.pad = {1, 1, 1, 1};
  conv.has_bias = false;
  // ResNet's 64-channel layer: 28 entries a row, 56 rows, 36 KiB of weights: everything fits.
  conv.c = conv.k = 64;
  conv.h = conv.w = 56;
  Tiling tiling = tiling_of(conv, DataType::Int8, Generation::Xavier);
  EXPECT_EQ(tiling.mode, CbufMode::AllResident);
  EXPECT_EQ(tiling.data_banks, 7);
  EXPECT_EQ(tiling.weight_banks, 2);
  EXPECT_EQ(tiling.strips.size(), 1u);
  EXPECT_EQ(tiling.traffic.input, 64 * 56 * 56);
  EXPECT_EQ(tiling.traffic.weights, 64 * 64 * 9);
  // 512 channels at 7x7: the input takes 4 banks, a group of 32 kernels 5, all of them 72.
  conv.c = conv.k = 512;
  conv.h = conv.w = 7;
  tiling = tiling_of(conv, DataType::Int8, Generation::Xavier);
  EXPECT_EQ(tiling.mode, CbufMode::PingPong);
  EXPECT_EQ(tiling.unhidden_weight_bytes, 0);
  // Orin computes 64 kernels at once, which take 9 banks: one group at a time.
  EXPECT_EQ(tiling_of(conv, DataType::Int8).mode, CbufMode::SingleGroup);
  // 26x26: 11 banks of data and 5 of weights: no second group beside.
  conv.h = conv.w = 26;
  tiling = tiling_of(conv, DataType::Int8, Generation::Xavier);
  EXPECT_EQ(tiling.mode, CbufMode::SingleGroup);
  EXPECT_EQ(tiling.unhidden_weight_bytes, 512 * 512 * 9);
  // A large picture goes in strips whose rows overlap.
  conv.c = conv.k = 64;
  conv.h = conv.w = 224;
  tiling = tiling_of(conv, DataType::Int8);
  EXPECT_GT(tiling.strips.size(), 1u);
  EXPECT_GT(tiling.traffic.input, 64 * 224 * 224);
  EXPECT_EQ(tiling.traffic.weights, 64 * 64 * 9);  // the weights stay
}

TEST(Compile, OfGroupedKernelsOrinKeepsTheAtomsThatAreNotAllZeros) {
  test::ConvCase conv;
  conv.pad = {1, 1, 1, 1};
  conv.c = conv.k = conv.groups = 512;
  conv.h = conv.w = 19;
  // 512 kernels of one atom of 64 channels take 9 banks, dense ones 72; the picture takes 6.
  const Tiling orin = tiling_of(conv, DataType::Int8);
  EXPECT_EQ(orin.mode, CbufMode::AllResident);
  EXPECT_EQ(orin.weight_banks, 9);
  EXPECT_EQ(tiling_of(conv, DataType::Int8, Generation::Xavier).weight_banks, 10);
}

TEST(Compile, AKernelGroupThatDoesNotFitIsSplit) {
  test::ConvCase conv;  // the layer of the specification that needs 15 banks of data in FP16
  conv.c = 512;
  conv.k = 64;
  conv.h = 8;
  conv.w = 160;
  conv.pad = {1, 1, 1, 1};
  const Tiling tiling = tiling_of(conv, DataType::Float16);
  EXPECT_EQ(tiling.kernels_per_pass, 3);  // 9216 bytes a kernel, one bank left
  EXPECT_EQ(tiling.kernel_passes, 22);
  EXPECT_EQ(tiling.data_banks, 15);
  EXPECT_EQ(tiling.weight_banks, 1);
}

TEST(Compile, AConvolutionBeyondCbufShowsTheArithmetic) {
  const std::string text =
      R"(graph @g(%x: f16[1,1024,128,128]) {
           const %w = f16[1,1024,3,3] zero
           %y = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f16[1,1,128,128]
           return %y })";
  EXPECT_THAT(refusal(text), testing::AllOf(HasSubstr("layer 'y' cannot be compiled for the DLA"),
                                            HasSubstr("1 + 24 = 25")));
}

TEST(Compile, GroupedWeightsAreCountedDense) {
  test::ConvCase conv;
  conv.c = conv.k = conv.groups = 32;
  const Loadable loadable = test::compiled(test::conv_segment(conv, DataType::Int8));
  const auto& parameters = std::get<ConvParameters>(loadable.operations[0].parameters);
  EXPECT_EQ(parameters.dense_weight_bytes, 32 * 32 * 9);
  EXPECT_EQ(parameters.weights.size, 32 * 9);
}

TEST(Compile, SubIsTwoOperationsOnXavierAndOneOnOrin) {
  const ir::Graph segment = ir::parse(
      R"(graph @g(%a: f16[1,16,4,4], %b: f16[1,16,4,4]) {
           %y = elementwise(%a, %b) {kind=sub} : f16[1,16,4,4]
           return %y })");
  EXPECT_EQ(test::compiled(segment, Generation::Xavier).operations.size(), 2u);
  EXPECT_EQ(test::compiled(segment, Generation::Orin).operations.size(), 1u);
}

TEST(Compile, ConcatCopiesWhatCannotBeWrittenInPlace) {
  const auto operations = [](const char* first, const char* scale) {
    const std::string c(first);
    const ir::Graph segment = ir::parse(
        "graph @g(%x: i8[1," + c +
        ",4,4] q(0.1), %z: i8[1,32,4,4] q(0.1)) {\n %a = activation(%x) " + "{kind=relu} : i8[1," +
        c + ",4,4] q(" + scale + ")\n %b = activation(%z) {kind=relu} : " +
        "i8[1,32,4,4] q(0.1)\n %y = concat(%a, %b) {axis=1} : i8[1," +
        std::to_string(std::stoi(c) + 32) + ",4,4] q(0.1)\n return %y\n}\n");
    EXPECT_LE(test::difference_from_ref(segment), 2);  // a step of 0.2 is two of 0.1
    return test::compiled(segment).operations.size();
  };
  EXPECT_EQ(operations("32", "0.1"), 2u);  // both in place
  EXPECT_EQ(operations("32", "0.2"), 3u);  // another scale: %a goes through the SDP
  EXPECT_EQ(operations("20", "0.1"), 3u);  // %b would start inside a surface: copied
}

TEST(Compile, PoolsThatAreTooSmallAreNamed) {
  const ir::Graph segment = ir::parse(
      R"(graph @g(%x: f16[1,64,64,64]) {
           const %w = f16[64,64,3,3] seed(1)
           %a = activation(%x) {kind=relu} : f16[1,64,64,64]
           %y = conv(%a, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f16[1,64,64,64]
           return %y })");
  CompileOptions options = options_for(Generation::Orin);
  options.pools.sram = 4096;
  options.pools.local = 4096;
  const std::optional<Refusal> local = test::refusal_of(segment, options);
  ASSERT_TRUE(local.has_value());
  EXPECT_EQ(local->layer(), "a");
  EXPECT_THAT(local->reason(),
              HasSubstr("take 0.5 MiB of local DRAM, its pool allows 0.00391 MiB"));
  EXPECT_THAT(local->reason(), HasSubstr("dlaLocalDRAM"));
  options.pools = default_pools(Generation::Orin);
  options.pools.global = 65536;
  const std::optional<Refusal> global = test::refusal_of(segment, options);
  ASSERT_TRUE(global.has_value());
  EXPECT_EQ(global->layer(), "y");
  EXPECT_THAT(global->reason(), HasSubstr("dlaGlobalDRAM"));
}

TEST(Compile, PoolSizesThatAreNoPowerOfTwoGetTheNearestOnes) {
  PoolLimits limits = default_pools(Generation::Xavier);
  EXPECT_EQ(limits.sram, 1 << 20);
  limits.sram = 3 << 20;
  try {
    require_legal(limits);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(),
              "memory pool dlaSRAM is 3145728 bytes; the DLA takes powers of two of at least 4096: "
              "give 2097152 or 4194304");
  }
}

TEST(Compile, TensorsThatDoNotLiveTogetherShareMemory) {
  std::string text = "graph @g(%x: f16[1,64,64,64]) {\n";
  std::string last = "%x";
  for (int i = 0; i < 8; ++i) {
    const std::string next = "%a" + std::to_string(i);
    text += " " + next + " = activation(" + last + ") {kind=sigmoid} : f16[1,64,64,64]\n";
    last = next;
  }
  const Loadable loadable = test::compiled(ir::parse(text + " return " + last + "\n}\n"));
  const int64_t one = 64 * 64 * 64 * 2;
  EXPECT_EQ(loadable.pools.sram, one);   // 512 KiB of SRAM hold one
  EXPECT_EQ(loadable.pools.local, one);  // and local DRAM its neighbour
}

TEST(Compile, RefusalsNameTheLayerAndTheReason) {
  EXPECT_THAT(refusal("graph @g(%x: f16[1,4,8,8]) {\n %y = reduce(%x) {kind=avg, axes=[2,3]} : "
                      "f16[1,4,1,1]\n return %y\n}"),
              HasSubstr("layer 'y' cannot be compiled for the DLA: the DLA reduces by maximum"));
  EXPECT_THAT(refusal("graph @g(%x: f32[1,4,8,8]) {\n %y = activation(%x) {kind=relu} : "
                      "f32[1,4,8,8]\n return %y\n}"),
              HasSubstr("tensor 'x' is f32; the DLA computes f16 and i8"));
  EXPECT_THAT(refusal("graph @g(%x: i8[1,4,8,8]) {\n %y = activation(%x) {kind=relu} : "
                      "i8[1,4,8,8]\n return %y\n}"),
              HasSubstr("one positive scale per tensor"));
  EXPECT_THAT(refusal("graph @g(%x: f16[1,4,8,8]) {\n %y = softmax(%x) {axis=1} : f16[1,4,8,8]\n "
                      "return %y\n}",
                      options_for(Generation::Xavier)),
              HasSubstr("Xavier's DLA has no softmax"));
  EXPECT_THAT(
      refusal("graph @g(%x: f16[1,4,8,8] as dla_hwc4) {\n %y = activation(%x) {kind=relu} : "
              "f16[1,4,8,8]\n return %y\n}"),
      HasSubstr("only convolutions of at most 4 groups read that format"));
}

TEST(Compile, LoadablesComeBackFromTheirBytesAndRunTheSame) {
  const ir::Graph segment = test::conv_segment(test::random_conv(3), DataType::Int8);
  const Loadable loadable = test::compiled(segment);
  const std::string bytes = serialize(loadable);
  const Loadable back = deserialize(std::as_bytes(std::span(bytes)));
  const std::vector<ir::Tensor> inputs = test::seeded_inputs(segment, 1);
  EXPECT_TRUE(std::ranges::equal(test::run_dla(back, inputs)[0].bytes(),
                                 test::run_dla(loadable, inputs)[0].bytes()));
}

}  // namespace
}  // namespace dlaexec::dla
