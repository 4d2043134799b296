#include "ref/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ir/infer.h"
#include "ir/text.h"

namespace dlaexec::ref {
namespace {

using ir::DataType;
using ir::Tensor;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

/// Runs a graph in text form as it is typed there.
Tensors run_text(const char* text_form, const Tensors& inputs = {}) {
  return run(ir::parse(text_form), inputs);
}

std::vector<float> floats_of(const char* text_form, const Tensors& inputs = {}) {
  return run_text(text_form, inputs).at(0).to_floats();
}

TEST(Ref, ConvolutionSumsTheWindowWithPaddingAndBias) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,1,3,3] [1, 2, 3, 4, 5, 6, 7, 8, 9]
    const %w = f32[1,1,2,2] [1, 10, 100, 1000]
    const %b = f32[1] [0.5]
    %y = conv(%x, %w, %b) {stride=[2,2], pads=[1,1,0,0], dilation=[1,1]} : f32[1,1,2,2]
    return %y
  })"),
              ElementsAre(1000.5, 3200.5, 7040.5, 9865.5));
}

TEST(Ref, ConvolutionHandlesGroupsDilationAndOneDimension) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,2,4] [1, 2, 3, 4, 5, 6, 7, 8]
    const %w = f32[2,1,2] [1, 1, 1, -1]
    %y = conv(%x, %w) {stride=[1], pads=[0,0], dilation=[2], groups=2} : f32[1,2,2]
    return %y
  })"),
              ElementsAre(4, 6, -2, -2));
}

TEST(Ref, Int8ConvolutionSumsExactlyAndRoundsOnceHalfToEven) {
  // 2 * 3 * (0.5 * 0.25) = 0.75; with scale 0.5 that is 1.5 steps, which rounds to 2. Channel 1:
  // 2 * 10 * (0.5 * 0.125) = 1.25, 2.5 steps, which rounds to 2 as well.
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = i8[1,1,1,1] q(0.5) [2]
    const %w = i8[2,1,1,1] q(axis=0, 0.25, 0.125) [3, 10]
    %y = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : i8[1,2,1,1] q(0.5)
    return %y
  })"),
              ElementsAre(2, 2));
}

TEST(Ref, ResidualIsAddedBeforeTheActivation) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,1,1,2] [1, 2]
    const %w = f32[1,1,1,1] [1]
    const %r = f32[1,1,1,2] [-5, 1]
    %y = conv(%x, %w, %r) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], residual=true, activation=relu} : f32[1,1,1,2]
    return %y
  })"),
              ElementsAre(0, 3));
}

TEST(Ref, DeconvolutionIsTheGradientOfAConvolution) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,1,2] [1, 2]
    const %w = f32[1,1,3] [1, 10, 100]
    %y = deconv(%x, %w) {stride=[2], pads=[1,0], dilation=[1], output_padding=[1], groups=1} : f32[1,1,5]
    return %y
  })"),
              ElementsAre(10, 102, 20, 200, 0));
}

TEST(Ref, HalfOutputsRoundOnceToNearestEven) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[2] [2048, 0.1]
    const %y = f32[2] [1, 0]
    %z = elementwise(%x, %y) {kind=sum} : f16[2]
    return %z
  })"),
              ElementsAre(2048, 0.0999755859375f));
}

TEST(Ref, IntegersWithoutScaleMeanThemselvesAndWrap) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = i8[2] [127, 5]
    const %y = i8[2] [1, -3]
    %z = elementwise(%x, %y) {kind=sum} : i8[2]
    return %z
  })"),
              ElementsAre(-128, 2));
}

TEST(Ref, ConcatRescalesInputsOfAnotherScale) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = i8[1] q(1) [10]
    const %y = i8[1] q(0.5) [10]
    %z = concat(%x, %y) {axis=0} : i8[2] q(0.5)
    return %z
  })"),
              ElementsAre(20, 10));
}

TEST(Ref, GemmTransposesScalesAndBroadcastsC) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %a = f32[1,2] [1, 2]
    const %b = f32[2,2] [1, 2, 3, 4]
    const %c = f32[2] [10, 20]
    %y = gemm(%a, %b, %c) {transpose_b=true, scale_ab=2, scale_c=0.5} : f32[1,2]
    return %y
  })"),
              ElementsAre(15, 32));
}

TEST(Ref, MatMulBroadcastsBatchesAndTakesVectors) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %a = f32[2,1,1,2] [1, 2, 3, 4]
    const %b = f32[2,2,1] [1, 1, 10, 10]
    %y = matmul(%a, %b) : f32[2,2,1,1]
    return %y
  })"),
              ElementsAre(3, 30, 7, 70));
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %a = f32[2] [1, 2]
    const %b = f32[2] [3, 4]
    %y = matmul(%a, %b) : f32[]
    return %y
  })"),
              ElementsAre(11));
}

TEST(Ref, EinsumSumsWhatTheOutputLacks) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %a = f32[2,2] [1, 2, 3, 4]
    const %b = f32[2,2] [5, 6, 7, 8]
    %y = einsum(%a, %b) {equation="ij,kj->ki"} : f32[2,2]
    return %y
  })"),
              ElementsAre(17, 39, 23, 53));
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %a = f32[2,2,2] [1, 2, 3, 4, 5, 6, 7, 8]
    %y = einsum(%a) {equation="...ii->...i"} : f32[2,2]
    return %y
  })"),
              ElementsAre(1, 4, 5, 8));
}

TEST(Ref, AveragePoolDividesByWhatItCounts) {
  const char* pattern = R"(graph @g() {
    const %x = f32[1,1,3] [1, 2, 6]
    %y = pool(%x) {kind=average, kernel=[2], stride=[2], pads=[1,0], dilation=[1], ceil_mode=CEIL, count_include_pad=PAD} : f32[1,1,2]
    return %y
  })";
  const auto with = [&](const char* ceil, const char* pad) {
    std::string text_form = pattern;
    text_form.replace(text_form.find("CEIL"), 4, ceil);
    text_form.replace(text_form.find("PAD"), 3, pad);
    return floats_of(text_form.c_str());
  };
  EXPECT_THAT(with("false", "false"), ElementsAre(1, 4));
  EXPECT_THAT(with("false", "true"), ElementsAre(0.5, 4));
}

TEST(Ref, MaxPoolGivesIndicesInTheWholeTensor) {
  const Tensors outputs = run_text(R"(graph @g() {
    const %x = f32[1,2,2] [1, 5, 7, 2]
    %y, %i = pool(%x) {kind=max, kernel=[2], stride=[1], pads=[0,0], dilation=[1]} : f32[1,2,1], i64[1,2,1]
    return %y, %i
  })");
  EXPECT_THAT(outputs[0].to_floats(), ElementsAre(5, 7));
  EXPECT_THAT(outputs[1].to_ints(), ElementsAre(1, 2));
}

TEST(Ref, SoftmaxIsStableAndHardmaxTakesTheFirst) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[2,2] [1000, 1000, 0, -1000]
    %y = softmax(%x) {axis=1} : f32[2,2]
    return %y
  })"),
              ElementsAre(0.5, 0.5, 1, 0));
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,3] [2, 7, 7]
    %y = softmax(%x) {kind=hardmax, axis=1} : f32[1,3]
    return %y
  })"),
              ElementsAre(0, 1, 0));
}

TEST(Ref, LrnSumsNeighbouringChannels) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,3,1,1] [1, 2, 3]
    %y = lrn(%x) {size=3, alpha=3, beta=1, bias=0} : f32[1,3,1,1]
    return %y
  })"),
              Pointwise(testing::FloatEq(), {1.f / 5, 2.f / 14, 3.f / 13}));
}

TEST(Ref, SliceWalksBackwardsAndClamps) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[5] [0, 1, 2, 3, 4]
    const %s = i64[1] [-1]
    const %e = i64[1] [-9223372036854775807]
    const %a = i64[1] [0]
    const %t = i64[1] [-2]
    %y = slice(%x, %s, %e, %a, %t) : f32[3]
    return %y
  })"),
              ElementsAre(4, 2, 0));
}

TEST(Ref, PadReflectsAndCuts) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[3] [1, 2, 3]
    const %p = i64[2] [2, -1]
    %y = pad(%x, %p) {mode=reflect} : f32[4]
    return %y
  })"),
              ElementsAre(3, 2, 1, 2));
}

TEST(Ref, ResizeNearestAndLinearFollowTheirCoordinates) {
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[1,1,1,2] [1, 3]
    const %s = f32[4] [1, 1, 1, 2]
    %y = resize(%x, _, %s) {mode=linear, coordinates=half_pixel} : f32[1,1,1,4]
    return %y
  })"),
              ElementsAre(1, 1.5, 2.5, 3));
  EXPECT_THAT(floats_of(R"(graph @g() {
    const %x = f32[2] [1, 3]
    const %s = f32[1] [2]
    %y = resize(%x, _, %s) {mode=nearest, coordinates=asymmetric, nearest=floor} : f32[4]
    return %y
  })"),
              ElementsAre(1, 1, 3, 3));
}

TEST(Ref, LoopCarriesStateAndStacksItsScans) {
  const Tensors outputs = run_text(R"(graph @g() {
    const %n = i64[] [3]
    const %x = f32[1] [1]
    const %two = f32[1] [2]
    %y, %all = loop(%n, _, %x) {body=
      graph @body(%i: i64[], %go: bool[], %state: f32[1]) {
        outer %two: f32[1]
        %next = elementwise(%state, %two) {kind=prod} : f32[1]
        %stop = identity(%go) : bool[]
        %seen = identity(%next) : f32[1]
        return %stop, %next, %seen
      }
    } : f32[1], f32[3,1]
    return %y, %all
  })");
  EXPECT_THAT(outputs[0].to_floats(), ElementsAre(8));
  EXPECT_THAT(outputs[1].to_floats(), ElementsAre(2, 4, 8));
}

TEST(Ref, FailuresNameTheNode) {
  try {
    run_text(R"(graph @g(%i: i64[1]) {
      const %x = f32[2] [1, 2]
      %y = gather(%x, %i) {axis=0} : f32[1] "lookup"
      return %y
    })",
             {Tensor::of<int64_t>({1}, {7})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("index 7 is outside a dimension of 2"));
    EXPECT_THAT(error.what(), HasSubstr("computing node 'lookup' (gather)"));
  }
}

TEST(Ref, ARangeMayReachAcrossAllOfTheIntegers) {
  EXPECT_EQ(run_text(R"(graph @g() {
    const %start = i64[] [-9000000000000000000]
    const %end = i64[] [9000000000000000000]
    const %step = i64[] [5000000000000000000]
    %y = range(%start, %end, %step) : i64[n]
    return %y
  })")[0]
                .to_ints(),
            (std::vector<int64_t>{-9000000000000000000, -4000000000000000000, 1000000000000000000,
                                  6000000000000000000}));
}

TEST(Ref, AResultThatNobodyHasMemoryForIsAnErrorThatNamesTheNode) {
  for (const char* graph : {R"(graph @g() {
    const %shape = i64[3] [4096, 4096, 4096]
    %big = constant_of_shape(%shape) {type=f32, value=1} : f32[4096,4096,4096]
    return %big
  })",
                            R"(graph @g() {
    const %start = i64[] [0]
    const %end = i64[] [4000000000000]
    const %step = i64[] [1]
    %big = range(%start, %end, %step) : i64[n]
    return %big
  })",
                            R"(graph @g() {
    const %one = f32[1] [1]
    const %repeats = i64[1] [4000000000]
    %big = tile(%one, %repeats) : f32[4000000000]
    return %big
  })"}) {
    try {
      run_text(graph);
      ADD_FAILURE() << graph;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("'big'"), HasSubstr("elements")));
    }
  }
}

}  // namespace
}  // namespace dlaexec::ref
