#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cpu/case.h"
#include "cpu/parsed.h"

namespace dlaexec::cpu::test {
namespace {

using testing::Contains;

TEST(Gemm, EveryWayToGiveItsOperandsAgrees) {
  Random random(1);
  for (const int64_t rows : {1, 7, 33})
    for (const int64_t outputs : {1, 16, 45, 64})
      for (const bool transpose : {false, true})
        for (const ir::DataType type : {ir::DataType::Float32, ir::DataType::Float16}) {
          const int64_t terms = random.integer(1, 70);
          SCOPED_TRACE(ir::to_text(ir::Dims{rows, terms, outputs}));
          Case test;
          ir::GemmAttributes attributes;
          attributes.transpose_b = transpose;
          attributes.scale_ab = 0.5f;
          attributes.scale_c = 2;
          attributes.activation = ir::ActivationKind::GeluErf;
          const ir::ValueId a = test.input(random.tensor(type, {rows, terms}));
          const ir::ValueId b = test.constant(
              random.tensor(type, transpose ? ir::Dims{outputs, terms} : ir::Dims{terms, outputs}));
          const ir::ValueId c = test.constant(random.tensor(ir::DataType::Float32, {outputs}));
          test.node(ir::Op::Gemm, {a, b, c}, attributes, type);
          EXPECT_THAT(expect_like_reference(test, 1e-5), Contains("gemm.packed"));
        }
}

TEST(MatMul, KnownAndComputedOperandsAgreeAndBatchesBroadcast) {
  const std::vector<std::string> kernels = expect_like_reference(
      parsed(R"(graph @g(%a: f32[2,3,17,20], %b: f32[3,20,37], %r: f32[2,3,17,37]) {
    const %w = f32[37,21] seed(1)
    const %bias = f32[21] seed(2)
    %p = matmul(%a, %b, _, %r) {residual=true, activation=relu} : f32[]
    %y = matmul(%p, %w, %bias) : f32[]
    return %y, %p
  })"),
      1e-5);
  EXPECT_THAT(kernels, Contains("gemm.packed"));
  EXPECT_THAT(kernels, Contains("gemm.batched"));
}

}  // namespace
}  // namespace dlaexec::cpu::test
