#include "dla/core/core.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ir/text.h"
#include "support/dla_segments.h"

namespace dlaexec::dla {
namespace {

using ir::DataType;

constexpr double kHalfTolerance = 2e-3;

TEST(CoreAgainstRef, Fp16Convolutions) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const ir::Graph segment = test::conv_segment(test::random_conv(seed), DataType::Float16);
    EXPECT_LE(test::difference_from_ref(segment), kHalfTolerance)
        << ir::print(segment, ir::Constants::Hash);
  }
}

TEST(CoreAgainstRef, Int8ConvolutionsWithinOneStep) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const ir::Graph segment = test::conv_segment(test::random_conv(seed), DataType::Int8);
    EXPECT_LE(test::difference_from_ref(segment), 1) << ir::print(segment, ir::Constants::Hash);
  }
}

bool same_bits(const std::vector<ir::Tensor>& a, const std::vector<ir::Tensor>& b) {
  return std::ranges::equal(a, b, [](const ir::Tensor& x, const ir::Tensor& y) {
    return x.dims() == y.dims() && std::ranges::equal(x.bytes(), y.bytes());
  });
}

/// Every vectorized core against the scalar one on what @p segment compiles to.
void expect_equal_bits(const ir::Graph& segment, const std::vector<ir::Tensor>& inputs) {
  const Loadable loadable = test::compiled(segment);
  const std::vector<ir::Tensor> scalar = test::run_dla(loadable, inputs);
  for (const core::Isa isa : core::usable_isas())
    EXPECT_TRUE(same_bits(test::run_dla(loadable, inputs, isa), scalar))
        << ir::text(isa) << '\n'
        << ir::print(segment, ir::Constants::Hash);
}

TEST(CoreBits, VectorizedConvolutionsEqualScalarOnes) {
  for (uint64_t seed = 100; seed < 160; ++seed)
    for (const DataType type : {DataType::Float16, DataType::Int8}) {
      const ir::Graph segment = test::conv_segment(test::random_conv(seed), type);
      expect_equal_bits(segment, test::seeded_inputs(segment, seed));
    }
}

TEST(CoreBits, DepthwiseConvolutionsToo) {
  struct Shape {
    int64_t channels, width, kernel, stride, dilation, pad;
  };
  for (const Shape& shape :
       {Shape{96, 112, 3, 2, 1, 1}, Shape{24, 7, 3, 1, 1, 1}, Shape{40, 14, 5, 1, 1, 2},
        Shape{16, 2, 3, 1, 1, 1}, Shape{33, 9, 3, 1, 3, 2}, Shape{70, 31, 4, 3, 2, 3}})
    for (const DataType type : {DataType::Float16, DataType::Int8}) {
      test::ConvCase conv;
      conv.n = 2;
      conv.c = conv.k = conv.groups = shape.channels;
      conv.h = 9;
      conv.w = shape.width;
      conv.kernel = {shape.kernel, shape.kernel};
      conv.stride = {shape.stride, shape.stride};
      conv.dilation = {shape.dilation, shape.dilation};
      conv.pad = {shape.pad, shape.pad, shape.pad, shape.pad};
      conv.epilogue = ", activation=clip, alpha=0, beta=6";
      const ir::Graph segment = test::conv_segment(conv, type);
      expect_equal_bits(segment, test::seeded_inputs(segment, 3));
    }
}

TEST(CoreBits, SaturatedOutputsToo) {
  for (uint64_t seed = 400; seed < 420; ++seed)
    for (const double scale : {0.3, 0.02, 1e-4}) {
      test::ConvCase conv = test::random_conv(seed);
      conv.scale = scale;
      const ir::Graph segment = test::conv_segment(conv, DataType::Int8);
      if (test::refusal_of(segment, {Generation::Orin, default_pools(Generation::Orin)})) continue;
      expect_equal_bits(segment, test::seeded_inputs(segment, seed));
    }
}

TEST(CoreBits, ExtremeNumbersToo) {
  for (uint64_t seed = 300; seed < 330; ++seed) {
    test::ConvCase conv = test::random_conv(seed);
    conv.has_residual = true;
    const ir::Graph segment = test::conv_segment(conv, DataType::Float16);
    std::vector<ir::Tensor> inputs;
    for (const ir::Tensor& tensor : test::seeded_inputs(segment, seed)) {
      ir::Tensor wild = tensor.clone();
      const std::span<Half> halves = wild.mutable_as<Half>();
      const uint16_t special[] = {0x7c00, 0xfc00, 0x7bff, 0xfbff, 0x0001, 0x8001, 0x8000, 0x7e01};
      // Mostly one NaN in a thousand, or all outputs would be NaN.
      for (size_t i = 0; i < halves.size(); i += 1 + (i * 7 + seed) % 61)
        halves[i] = Half::from_bits(special[(i + seed) % (i % 16 == 0 ? 8 : 7)]);
      inputs.push_back(wild);
    }
    expect_equal_bits(segment, inputs);
  }
}

TEST(CoreBits, TheTilePlanNeverChangesAResult) {
  for (const DataType type : {DataType::Float16, DataType::Int8}) {
    test::ConvCase conv;
    conv.c = 40;
    conv.k = 70;
    conv.h = 19;
    conv.pad = {1, 1, 1, 1};
    const ir::Graph segment = test::conv_segment(conv, type);
    const std::vector<ir::Tensor> inputs = test::seeded_inputs(segment, 5);
    Loadable loadable = test::compiled(segment);
    const std::vector<ir::Tensor> whole = test::run_dla(loadable, inputs);
    Tiling& tiling = loadable.operations[0].tiling;
    tiling.strips = {{0, 7, 0, 8}, {7, 1, 6, 3}, {8, 11, 7, 12}};
    tiling.kernels_per_pass = 9;
    tiling.kernel_passes = 8;
    verify(loadable);
    for (const core::Isa isa : core::usable_isas())
      EXPECT_TRUE(same_bits(test::run_dla(loadable, inputs, isa), whole)) << ir::text(isa);
  }
}

TEST(CoreBits, InputsOfEveryFormatGiveTheSame) {
  for (const char* in : {" as dla_linear", " as dla_hwc4", " as chw16"}) {
    const ir::Graph segment = ir::parse(std::string("graph @g(%x: f16[2,3,30,31]") + in + R"() {
           const %w = f16[20,3,7,7] seed(3)
           %y = conv(%x, %w) {stride=[2,2], pads=[3,3,3,3], dilation=[1,1]} : f16[2,20,15,16]
           return %y })");
    expect_equal_bits(segment, test::seeded_inputs(segment, 7));
  }
}

/// One layer of the given text between %x and %y, both of 1x20x6x7.
struct LayerCase {
  const char* name;
  const char* constants;
  const char* layer;               ///< "relu(%x)" with attributes
  const char* shape = "1,20,6,7";  ///< of the output
  double tolerance = kHalfTolerance;
};

ir::Graph layer_segment(const LayerCase& layer, DataType type, const std::string& in_scale,
                        const std::string& out_scale) {
  const std::string t(ir::text(type));
  const bool is_int8 = type == DataType::Int8;
  return ir::parse("graph @g(%x: " + t + "[1,20,6,7]" + (is_int8 ? " q(" + in_scale + ")" : "") +
                   ") {\n" + layer.constants + "\n %y = " + layer.layer + " : " + t + "[" +
                   layer.shape + "]" + (is_int8 ? " q(" + out_scale + ")" : "") +
                   "\n return %y\n}\n");
}

const LayerCase kLayers[] = {
    {"relu", "", "activation(%x) {kind=relu}"},
    {"clip", "", "activation(%x) {kind=clip, alpha=0, beta=1.25}"},
    {"leaky", "", "activation(%x) {kind=leaky_relu, alpha=0.1}"},
    {"sigmoid", "", "activation(%x) {kind=sigmoid}"},
    {"tanh", "", "activation(%x) {kind=tanh}"},
    {"prelu", "const %s = f32[20,1,1] seed(3)", "prelu(%x, %s)"},
    {"scale", "const %s = f32[20] seed(4)\n const %b = f32[20] seed(5)", "scale(%x, %s, %b)"},
    {"uniform scale", "const %s = f32[1] [0.75]\n const %b = f32[1] [-0.5]", "scale(%x, %s, %b)"},
    {"abs", "", "unary(%x) {kind=abs}"},
    {"sum of itself", "", "elementwise(%x, %x) {kind=sum}"},
    {"sub of itself", "", "elementwise(%x, %x) {kind=sub}"},
    {"product with itself", "", "elementwise(%x, %x) {kind=prod, activation=relu}"},
    {"max pool", "",
     "pool(%x) {kind=max, kernel=[3,3], stride=[2,2], pads=[1,1,1,1], dilation=[1,1]}", "1,20,3,4"},
    {"average pool", "",
     "pool(%x) {kind=average, kernel=[3,2], stride=[1,2], pads=[0,0,0,0], dilation=[1,1]}",
     "1,20,4,3"},
    {"padded average", "",
     "pool(%x) {kind=average, kernel=[3,3], stride=[1,1], pads=[1,1,1,1], dilation=[1,1], "
     "count_include_pad=true}",
     "1,20,6,7"},
    {"lrn", "", "lrn(%x) {size=5, alpha=0.1, beta=0.75, bias=1}", "1,20,6,7", 6e-3},
    {"reduce max", "", "reduce(%x) {kind=max, axes=[2,3], keep_dims=true}", "1,20,1,1"},
    {"transpose", "", "transpose(%x) {perm=[0,2,3,1]}", "1,6,7,20"},
    {"reshape", "const %s = i64[4] [1,4,15,14]", "reshape(%x, %s)", "1,4,15,14"},
    {"slice", "const %s = i64[2] [3,1]\n const %e = i64[2] [17,5]\n const %a = i64[2] [1,2]",
     "slice(%x, %s, %e, %a)", "1,14,4,7"},
    {"nearest", "const %s = f32[4] [1,1,2,3]",
     "resize(%x, _, %s) {mode=nearest, coordinates=asymmetric, nearest=floor}", "1,20,12,21"},
    {"linear", "const %s = f32[4] [1,1,2,3]",
     "resize(%x, _, %s) {mode=linear, coordinates=half_pixel}", "1,20,12,21"},
    {"concat", "", "concat(%x, %x) {axis=1}", "1,40,6,7"},
};

TEST(CoreAgainstRef, Fp16Layers) {
  for (const LayerCase& layer : kLayers)
    EXPECT_LE(test::difference_from_ref(layer_segment(layer, DataType::Float16, "", "")),
              layer.tolerance)
        << layer.name;
  const LayerCase softmax{"softmax", "", "softmax(%x) {axis=1}"};
  EXPECT_LE(test::difference_from_ref(layer_segment(softmax, DataType::Float16, "", "")),
            kHalfTolerance);
}

TEST(CoreAgainstRef, Int8LayersWithinOneStep) {
  for (const LayerCase& layer : kLayers)
    EXPECT_LE(test::difference_from_ref(layer_segment(layer, DataType::Int8, "0.02", "0.02")), 1)
        << layer.name;
}

TEST(CoreAgainstRef, Int8QuotientsByAConstantWithinOneStep) {
  const LayerCase quotient{"div", "const %d = f32[1] [6]", "elementwise(%x, %d) {kind=div}"};
  EXPECT_LE(test::difference_from_ref(layer_segment(quotient, DataType::Int8, "0.02", "0.004")), 1);
  const LayerCase by_zero{"div", "const %d = f32[1] [0]", "elementwise(%x, %d) {kind=div}"};
  const auto refusal = test::refusal_of(layer_segment(by_zero, DataType::Int8, "0.02", "0.004"),
                                        {Generation::Orin, default_pools(Generation::Orin)});
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reason(), "it divides by 0");
}

TEST(CoreAgainstRef, Int8LayersThatChangeTheScaleWithinOneStep) {
  for (const LayerCase& layer : kLayers) {
    const std::string name = layer.name;
    if (name == "max pool" || name == "reduce max") continue;  // these keep the scale
    const ir::Graph segment = layer_segment(layer, DataType::Int8, "0.02", "0.031");
    if (test::refusal_of(segment, {Generation::Orin, default_pools(Generation::Orin)})) continue;
    EXPECT_LE(test::difference_from_ref(segment), 1) << layer.name;
  }
}

TEST(CoreAgainstRef, TwoTensors) {
  for (const char* kind : {"sum", "sub", "prod", "max", "min"})
    for (const char* other : {"2,20,6,7", "2,20,1,1", "2,1,1,1", "1,20,6,7"})
      for (const Generation generation : {Generation::Xavier, Generation::Orin}) {
        const auto graph = [&](const std::string& t, const char* qa, const char* qb, const char* qy,
                               bool swapped) {
          const std::string inputs = swapped ? "(%b, %a) {kind=" : "(%a, %b) {kind=";
          return ir::parse("graph @g(%a: " + t + "[2,20,6,7]" + qa + ", %b: " + t + "[" + other +
                           "]" + qb + ") {\n %y = elementwise" + inputs + kind + "} : " + t +
                           "[2,20,6,7]" + qy + "\n return %y\n}\n");
        };
        for (const bool swapped : {false, true}) {
          EXPECT_LE(test::difference_from_ref(graph("f16", "", "", "", swapped), generation),
                    kHalfTolerance)
              << kind << ' ' << other;
          EXPECT_LE(test::difference_from_ref(
                        graph("i8", " q(0.02)", " q(0.02)", " q(0.03)", swapped), generation),
                    1)
              << kind << ' ' << other;
          EXPECT_LE(test::difference_from_ref(
                        graph("i8", " q(0.02)", " q(0.015)", " q(0.03)", swapped), generation),
                    1)
              << kind << ' ' << other;
        }
      }
}

TEST(CoreAgainstRef, Deconvolutions) {
  for (const char* shape : {"kernel 2 stride 2", "kernel 3 stride 2", "kernel 1 stride 3"}) {
    const int64_t kernel = shape[7] - '0';
    const int64_t stride = shape[16] - '0';
    const int64_t h = 4 * stride + kernel;
    const auto graph = [&](const std::string& t, const char* qx, const char* qw, const char* qy) {
      return ir::parse(format(
          "graph @g(%x: {0}[1,5,5,5]{1}) {{\n const %w = {0}[5,7,{2},{2}]{3} seed(3)\n const %b = "
          "f32[7] seed(4)\n %y = deconv(%x, %w, %b) {{stride=[{4},{4}], pads=[0,0,0,0], "
          "dilation=[1,1], output_padding=[0,0], groups=1, activation=relu}} : "
          "{0}[1,7,{5},{5}]{6}\n "
          "return %y\n}}\n",
          t, qx, kernel, qw, stride, h, qy));
    };
    EXPECT_LE(test::difference_from_ref(graph("f16", "", "", "")), kHalfTolerance) << shape;
    EXPECT_LE(test::difference_from_ref(graph("i8", " q(0.02)", " q(0.01)", " q(0.05)")), 1)
        << shape;
  }
}

TEST(CoreAgainstRef, Products) {
  const char* texts[] = {
      R"(graph @g(%x: f16[3,40]) {
           const %w = f16[40,10] seed(3)
           const %b = f32[10] seed(4)
           %y = gemm(%x, %w, %b) {activation=relu} : f16[3,10]
           return %y })",
      R"(graph @g(%x: f16[2,5,3,4]) {
           const %w = f16[10,60] seed(3)
           %f = flatten(%x) {axis=1} : f16[2,60]
           %y = gemm(%f, %w) {transpose_b=true} : f16[2,10]
           return %y })",
      R"(graph @g(%x: f16[2,5,3,4]) {
           const %w = f16[60,10] seed(3)
           %f = flatten(%x) {axis=1} : f16[2,60]
           %y = matmul(%f, %w) : f16[2,10]
           return %y })"};
  for (const char* text : texts)
    EXPECT_LE(test::difference_from_ref(ir::parse(text)), kHalfTolerance) << text;
  EXPECT_LE(test::difference_from_ref(ir::parse(
                R"(graph @g(%x: i8[3,40] q(0.02)) {
           const %w = i8[40,4] q(axis=1, 0.01, 0.02, 0.005, 0.001) seed(3)
           const %b = f32[4] seed(4)
           %y = gemm(%x, %w, %b) : i8[3,4] q(0.1)
           return %y })")),
            1);
}

TEST(CoreAgainstRef, PrecisionsMixInOneSegment) {
  EXPECT_LE(test::difference_from_ref(ir::parse(
                R"(graph @g(%x: i8[1,16,5,5] q(0.02)) {
           const %w = i8[8,16,3,3] q(0.01) seed(3)
           const %v = f16[4,8,1,1] seed(5)
           %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], activation=relu} : f16[1,8,5,5]
           %s = activation(%c) {kind=sigmoid} : f16[1,8,5,5]
           %d = conv(%s, %v) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f16[1,4,5,5]
           %q = reformat(%d) : i8[1,4,5,5] q(0.02)
           return %q })")),
            1);
}

TEST(Core, ConcatInputsAreWrittenInPlaceWhereTheyAlign) {
  const ir::Graph segment = ir::parse(
      R"(graph @g(%x: f16[1,16,5,5]) {
           %a = activation(%x) {kind=relu} : f16[1,16,5,5]
           %b = unary(%x) {kind=abs} : f16[1,16,5,5]
           %c = pool(%x) {kind=max, kernel=[1,1], stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f16[1,16,5,5]
           %i = concat(%a, %b) {axis=1} : f16[1,32,5,5]
           %o = concat(%i, %c) {axis=1} : f16[1,48,5,5]
           return %o })");
  const Loadable loadable = test::compiled(segment);
  EXPECT_EQ(loadable.operations.size(), 3u);  // nothing is copied
  EXPECT_EQ(test::difference_from_ref(segment), 0);
}

TEST(Core, EveryFormatOfInputsAndOutputsGivesTheSame) {
  for (const char* in : {"", " as dla_linear", " as dla_hwc4", " as chw16"})
    for (const char* out : {"", " as dla_linear", " as chw16"})
      EXPECT_LE(test::difference_from_ref(ir::parse(std::string("graph @g(%x: f16[2,3,9,9]") + in +
                                                    R"() {
           const %w = f16[20,3,3,3] seed(3)
           %y = conv(%x, %w) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1]} : f16[2,20,5,5])" +
                                                    out + "\n return %y\n}\n")),
                kHalfTolerance)
          << in << out;
}

TEST(Core, BuffersOfAnotherSizeAreRefused) {
  const Loadable loadable = test::compiled(test::conv_segment({}, DataType::Int8));
  ThreadPool threads(1);
  core::Core core(loadable, threads);
  std::vector<std::byte> small(10);
  const std::vector<std::span<const std::byte>> inputs{small};
  const std::vector<std::span<std::byte>> outputs{small};
  try {
    core.run(inputs, outputs);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(),
              "input 'x' of loadable 'g' takes 2048 bytes (1x16x8x8 i8 chw32), the buffer has 10");
  }
}

}  // namespace
}  // namespace dlaexec::dla
