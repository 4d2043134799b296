#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cpu/case.h"
#include "cpu/parsed.h"

namespace dlaexec::cpu::test {
namespace {

using testing::Contains;
using testing::Not;

TEST(Moving, TransposesOfEveryOrderAgree) {
  Random random(1);
  ir::Ints perm{0, 1, 2, 3};
  do {
    for (const ir::Dims& dims : std::vector<ir::Dims>{{2, 3, 5, 7}, {1, 17, 4, 33}}) {
      Case test;
      test.node(ir::Op::Transpose, {test.input(random.tensor(ir::DataType::Float32, dims))},
                ir::TransposeAttributes{perm});
      EXPECT_THAT(expect_like_reference(test, 0), Not(Contains("ref.transpose")));
    }
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(Moving, IntegersMoveInTheirOwnSize) {
  const std::vector<std::string> kernels =
      expect_like_reference(parsed(R"(graph @g(%x: i8[3,20,5]) {
    %t = transpose(%x) {perm=[2,0,1]} : i8[]
    return %t
  })"));
  EXPECT_THAT(kernels, Contains("transpose"));
}

TEST(Moving, SlicesWithStepsInBothDirectionsAgree) {
  expect_like_reference(parsed(R"(graph @g(%x: f32[2,12,9,8]) {
    const %starts = i64[3] [1, -2, 0]
    const %ends = i64[3] [11, -9, 8]
    const %axes = i64[3] [1, 2, 3]
    const %steps = i64[3] [2, -3, 2]
    %s = slice(%x, %starts, %ends, %axes, %steps) : f32[]
    return %s
  })"),
                        0);
}

TEST(Moving, PartsOfTheOutermostDimensionAreViews) {
  const std::vector<std::string> kernels =
      expect_like_reference(parsed(R"(graph @g(%x: f32[1,12,9]) {
    const %sizes = i64[2] [5, 7]
    %r = activation(%x) {kind=relu} : f32[]
    %a, %b = split(%r, %sizes) {axis=1} : f32[], f32[]
    %c = unary(%b) {kind=neg} : f32[]
    %d = unary(%a) {kind=exp} : f32[]
    return %a, %b, %c, %d
  })"));
  EXPECT_THAT(kernels, Not(Contains("split")));
  EXPECT_THAT(kernels, Not(Contains("ref.split")));
}

TEST(Moving, ExpandDepthSpaceAndGatherAgree) {
  const std::vector<std::string> kernels =
      expect_like_reference(parsed(R"(graph @g(%x: f32[2,8,4,6]) {
    const %shape = i64[5] [3, 2, 8, 4, 6]
    const %picks = i64[2,2] [1, -1, 0, 5]
    %e = expand(%x, %shape) : f32[]
    %dcr = depth_to_space(%x) {block=2, order=dcr} : f32[]
    %crd = depth_to_space(%x) {block=2, order=crd} : f32[]
    %deep = space_to_depth(%x) {block=2} : f32[]
    %g = gather(%x, %picks) {axis=3} : f32[]
    return %e, %dcr, %crd, %deep, %g
  })"),
                            0);
  for (const std::string& kernel : kernels) EXPECT_FALSE(kernel.starts_with("ref.")) << kernel;
}

TEST(Moving, AnIndexOutsideIsRefusedByNumber) {
  const Case test = parsed(R"(graph @g(%x: f32[3,2], %i: i64[1]) {
    %g = gather(%x, %i) {axis=0} : f32[]
    return %g
  })");
  ThreadPool pool(1);
  Program program(test.graph, pool);
  try {
    program.run(std::vector<ir::Tensor>{test.inputs[0], ir::Tensor::of<int64_t>({1}, {3})});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("index 3 is outside the 3 entries"));
  }
}

TEST(Resize, NearestAndLinearAgreeInEveryCoordinateMode) {
  Random random(2);
  for (const ir::ResizeMode mode : {ir::ResizeMode::Nearest, ir::ResizeMode::Linear})
    for (const ir::CoordinateMode coordinates :
         {ir::CoordinateMode::HalfPixel, ir::CoordinateMode::PytorchHalfPixel,
          ir::CoordinateMode::AlignCorners, ir::CoordinateMode::Asymmetric})
      for (const float scale : {2.0f, 0.6f, 1.5f}) {
        Case test;
        ir::ResizeAttributes attributes;
        attributes.mode = mode;
        attributes.coordinates = coordinates;
        attributes.nearest =
            random.one_of({ir::NearestMode::Floor, ir::NearestMode::Ceil,
                           ir::NearestMode::RoundPreferCeil, ir::NearestMode::RoundPreferFloor});
        const ir::ValueId scales = test.constant(ir::Tensor::of<float>({4}, {1, 1, scale, scale}));
        test.node(
            ir::Op::Resize,
            {test.input(random.tensor(ir::DataType::Float32, {1, 19, 6, 7})), ir::kNoValue, scales},
            attributes);
        EXPECT_THAT(expect_like_reference(test), Not(Contains("ref.resize")));
      }
}

}  // namespace
}  // namespace dlaexec::cpu::test
