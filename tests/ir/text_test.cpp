#include "ir/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dlaexec::ir {
namespace {

using testing::HasSubstr;

constexpr const char* kText = R"(graph @head(%image: f16[N,3,8,8], %"odd name": f32[]) {
  const %w = f16[2,3,1,1] q(axis=0, 0.5, 0.25) [1, -2, 0.5, 65504, 0, 3]
  const %half = f32[20] splat(0.5)
  const %axis = i64[1] [-9223372036854775807]
  %c1 = conv(%image, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], groups=1, residual=false, activation=relu, alpha=0, beta=0} : f16[N,2,8,8] q(0.125) as chw16 "conv/1" from("conv/1", "re\"lu") in f16 on dla3
  %r = activation(%c1) {kind=clip, alpha=0, beta=6} : f16[N,2,8,8] on gpu
  %p, _ = pool(%r) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1], ceil_mode=false, count_include_pad=false, p=2} : f16[N,2,4,4], _
  %z = resize(%p, _, _) {mode=nearest, coordinates=half_pixel, nearest=round_prefer_floor, keep_aspect=stretch, cubic_a=-0.75, exclude_outside=false, antialias=false, extrapolation=0, axes=[]} : f16[N,2,4,4]
  return %z, %r
}
)";

TEST(Text, WhatIsPrintedIsParsedBackToTheSameText) { EXPECT_EQ(print(parse(kText)), kText); }

TEST(Text, LeftOutAttributesHaveDefaultsAndCommentsAreSkipped) {
  const Graph graph = parse(R"(graph @g(%x: f32[1,4]) {  # a comment
    %y = softmax(%x) {axis=1} : f32[1,4]
    return %y
  })");
  EXPECT_EQ(graph.nodes[0].get<SoftmaxAttributes>().axis, 1);
  EXPECT_EQ(graph.nodes[0].get<SoftmaxAttributes>().kind, SoftmaxKind::Softmax);
}

TEST(Text, LargeConstantsSurviveInHexAndAreShortWhenHashed) {
  Graph graph = parse("graph @g(%x: f32[1]) {\n const %w = f32[5,7] seed(7)\n return %w\n}");
  const Graph again = parse(print(graph));
  EXPECT_EQ(again.values[1].constant->to_floats(), graph.values[1].constant->to_floats());
  EXPECT_THAT(print(graph, Constants::Hash), HasSubstr("blob(\""));
}

TEST(Text, SubgraphsArePartOfIt) {
  const char* text = R"(graph @g(%c: bool[]) {
  %y = if(%c) {then_branch=
    graph @yes() {
      const %one = f32[1] [1]
      return %one
    }
  , else_branch=
    graph @no() {
      const %two = f32[1] [2]
      return %two
    }
  } : f32[1]
  return %y
}
)";
  EXPECT_EQ(print(parse(text)), text);
}

TEST(Text, MistakesNameTheLineAndWhatIsAllowed) {
  const auto message = [](const char* text) -> std::string {
    try {
      parse(text);
    } catch (const Error& error) {
      return error.sentence();
    }
    return "";
  };
  EXPECT_THAT(message("graph @g(%x: f32[1]) {\n %y = relu(%x) : f32[1]\n return %y\n}"),
              testing::AllOf(HasSubstr("line 2"), HasSubstr("'relu' is no op")));
  EXPECT_THAT(message("graph @g(%x: f32[1]) {\n %y = softmax(%x) {axes=1} : f32[1]\n return %y\n}"),
              HasSubstr("softmax has no attribute 'axes'"));
  EXPECT_THAT(message("graph @g(%x: f33[1]) {\n return %x\n}"), HasSubstr("allowed: f32, f16"));
  EXPECT_THAT(message("graph @g(%x: f32[1]) {\n return %y\n}"), HasSubstr("%y is not defined"));
  EXPECT_THAT(message("graph @g(%x: f32[1]) {\n const %w = f32[3] [1, 2]\n return %x\n}"),
              HasSubstr("2 elements for shape 3"));
  EXPECT_THAT(message("graph @g(%x: f32[1]) {"), HasSubstr("expected '%', found ''"));
}

}  // namespace
}  // namespace dlaexec::ir
