#include <gtest/gtest.h>

#include "cpu/case.h"
#include "cpu/parsed.h"

namespace dlaexec::cpu::test {
namespace {

void expect_own_kernels(const std::vector<std::string>& kernels) {
  for (const std::string& kernel : kernels) EXPECT_FALSE(kernel.starts_with("ref.")) << kernel;
}

TEST(Rows, SoftmaxAgreesAlongEveryAxis) {
  Random random(1);
  for (const auto kind : {ir::SoftmaxKind::Softmax, ir::SoftmaxKind::LogSoftmax})
    for (const int64_t axis : {0, 1, 2})
      for (const bool flatten : {false, true}) {
        Case test;
        ir::SoftmaxAttributes attributes;
        attributes.kind = kind;
        attributes.axis = axis;
        attributes.flatten = flatten;
        test.node(ir::Op::Softmax, {test.input(random.tensor(ir::DataType::Float32, {3, 5, 37}))},
                  attributes);
        expect_own_kernels(expect_like_reference(test));
      }
}

TEST(Rows, NormsAgree) {
  expect_own_kernels(expect_like_reference(parsed(R"(graph @g(%x: f32[2,3,37]) {
    const %w = f32[37] seed(1)
    const %b = f32[37] seed(2)
    const %wc = f32[3] seed(3)
    const %bc = f32[3] seed(4)
    %layer = layer_norm(%x, %w, %b) {axis=2, epsilon=0.001} : f32[]
    %rms = rms_norm(%x, %w) {axis=2} : f32[]
    %instance = instance_norm(%x, %wc, %bc) : f32[]
    return %layer, %rms, %instance
  })")));
}

TEST(Rows, ReductionsOfTheLastAxesAgree) {
  for (const char* kind : {"sum", "avg", "max", "min"})
    expect_own_kernels(expect_like_reference(
        parsed(("graph @g(%x: f32[2,3,5,37]) { %a = reduce(%x) {kind=" + std::string(kind) +
                ", axes=[3]} : f32[]\n %b = reduce(%x) {kind=" + kind +
                ", axes=[2,3], keep_dims=false} : f32[]\n return %a, %b }")
                   .c_str()),
        1e-5));
}

TEST(Rows, LocalResponseNormalizationAgrees) {
  for (const char* beta : {"0.75", "0.5"})
    expect_own_kernels(expect_like_reference(parsed(
        ("graph @g(%x: f32[2,9,5,7]) { %y = lrn(%x) {size=4, alpha=0.7, beta=" + std::string(beta) +
         ", bias=1.5} : f32[]\n return %y }")
            .c_str())));
}

}  // namespace
}  // namespace dlaexec::cpu::test
