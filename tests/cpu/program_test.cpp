#include "cpu/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cpu/case.h"
#include "cpu/parsed.h"

namespace dlaexec::cpu::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr const char* kBranches = R"(graph @g(%x: f32[1,3,20,20]) {
  const %w1 = f32[32,3,3,3] seed(1)
  const %w2 = f32[16,32,1,1] seed(2)
  const %w3 = f32[48,32,3,3] seed(3)
  const %w4 = f32[64,64,1,1] seed(4)
  const %fc = f32[10,64] seed(5)
  %a = conv(%x, %w1) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1], activation=relu} : f32[]
  %b = conv(%a, %w2) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[]
  %c = conv(%a, %w3) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[]
  %j = concat(%b, %c) {axis=1} : f32[]
  %p = pool(%j) {kernel=[3,3], stride=[2,2], pads=[1,1,1,1], dilation=[1,1]} : f32[]
  %d = conv(%p, %w4) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[]
  %s = elementwise(%d, %p) {kind=sum, activation=relu} : f32[]
  %g = reduce(%s) {kind=avg, axes=[2,3]} : f32[]
  %f = flatten(%g) {axis=1} : f32[]
  %y = gemm(%f, %fc) {transpose_b=true} : f32[]
  return %y, %s
})";

TEST(Program, RunsBranchesWithBlockedImagesAndJoinsThemInPlace) {
  const std::vector<std::string> kernels = expect_like_reference(parsed(kBranches), 1e-5);
  EXPECT_THAT(kernels, Contains("concat.in-place"));
  EXPECT_THAT(kernels, Contains("gemm.packed"));
}

// The values are computed, constant and given to the network.
TEST(Program, BodiesSeeTheValuesAroundThem) {
  expect_like_reference(parsed(R"(graph @g(%x: f32[3,8], %bias: f32[8]) {
  const %trips = i64[] [3]
  const %w = f32[8,8] seed(1)
  %rows = matmul(%x, %w) : f32[]
  %first = reduce(%rows) {kind=max, axes=[0], keep_dims=false} : f32[]
  %last, %all = loop(%trips, _, %first) {body=
    graph @body(%i: i64[], %on: bool[], %state: f32[8]) {
      outer %rows: f32[3,8]
      outer %w: f32[8,8]
      outer %bias: f32[8]
      %row = gather(%rows, %i) {axis=0} : f32[]
      %sum = elementwise(%row, %state) {kind=sum} : f32[]
      %turned = matmul(%sum, %w, %bias) : f32[]
      %still = identity(%on) : bool[]
      return %still, %turned, %sum
    }
  } : f32[], f32[]
  return %last, %all
})"),
                        1e-5);
}

TEST(Program, KeepsNamesAndOriginsAndTimesEveryStep) {
  Case test = parsed(kBranches);
  test.graph.nodes[0].origins = {"stem", "stem_relu"};
  ThreadPool pool(1);
  Program program(test.graph, pool);
  std::vector<std::chrono::nanoseconds> times(program.steps().size());
  program.run(test.inputs, times);
  bool seen = false;
  for (size_t i = 0; i < times.size(); ++i) {
    EXPECT_GE(times[i].count(), 0);
    const StepInfo& step = program.steps()[i];
    if (step.name != test.graph.nodes[0].name) continue;
    seen = true;
    EXPECT_EQ(step.origins, test.graph.nodes[0].origins);
    EXPECT_GT(times[i].count(), 0);
  }
  EXPECT_TRUE(seen);
}

TEST(Program, CopiesRunOnMemoryOfTheirOwn) {
  const Case test = parsed(kBranches);
  ThreadPool pool(1);
  Program first(test.graph, pool);
  Program second = first;
  const std::vector<float> a = first.run(test.inputs)[0].to_floats();
  EXPECT_EQ(a, second.run(test.inputs)[0].to_floats());
}

TEST(Program, SharesMemoryAmongValuesThatDoNotLiveAtOnce) {
  const Case test = parsed(R"(graph @g(%x: f32[1,16,64,64]) {
    %a = activation(%x) {kind=relu} : f32[]
    %b = unary(%a) {kind=exp} : f32[]
    %c = unary(%b) {kind=sqrt} : f32[]
    %d = unary(%c) {kind=abs} : f32[]
    return %d
  })");
  ThreadPool pool(1);
  EXPECT_EQ(Program(test.graph, pool).arena_bytes(), 16 * 64 * 64 * 4);
}

TEST(Program, RefusesInputsOfAnotherTypeOrShapeByName) {
  const Case test = parsed(kBranches);
  ThreadPool pool(1);
  Program program(test.graph, pool);
  const auto refusal = [&](std::vector<ir::Tensor> inputs) {
    try {
      program.run(inputs);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refusal({}), HasSubstr("0 inputs"));
  EXPECT_THAT(refusal({ir::Tensor::zeros(ir::DataType::Float32, {1, 3, 4, 4})}),
              HasSubstr("'x' has dimensions 1x3x4x4; the program was compiled for 1x3x20x20"));
  EXPECT_THAT(refusal({ir::Tensor::zeros(ir::DataType::Int8, {1, 3, 20, 20})}),
              HasSubstr("'x' has elements of type i8"));
}

TEST(Program, RunsWhatHasNoKernelByTheDefinitionAndSaysSo) {
  const Case test = parsed(R"(graph @g(%x: f32[2,9]) {
    const %k = i64[1] [3]
    %values, %indices = topk(%x, %k) {axis=1} : f32[], i64[]
    %y = activation(%values) {kind=relu} : f32[]
    return %y, %indices
  })");
  EXPECT_THAT(expect_like_reference(test), Contains("ref.topk"));
}

TEST(Program, CarriesValuesWhoseShapeDependsOnData) {
  const Case test = parsed(R"(graph @g(%x: f32[4,4]) {
    %r = activation(%x) {kind=relu} : f32[]
    %where = nonzero(%r) : i64[]
    %t = transpose(%where) {perm=[1,0]} : i64[]
    return %t
  })");
  expect_like_reference(test);
}

}  // namespace
}  // namespace dlaexec::cpu::test
