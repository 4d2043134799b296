// Everything that is no product, on the device against ref/.
#include "on_device.h"

namespace dlaexec::gpu {
namespace {

/// One node between an input and an output.
std::string one_node(const std::string& input, const std::string& node, const std::string& output,
                     const std::string& constants = "") {
  return "graph @g(" + input + ") {\n" + constants + "  %y = " + node + " : " + output +
         "\n  return %y\n}";
}

TEST(PoolOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  const std::string window = "kernel=[3,3], stride=[2,2], pads=[1,1,1,1], dilation=[1,1]";
  for (const char* type : {"f16", "f32"}) {
    const std::string t = type;
    for (const char* kind : {"max", "average"})
      expect_like_ref(one_node("%x: " + t + "[2,13,11,9]",
                               "pool(%x) {kind=" + std::string(kind) + ", " + window + "}",
                               t + "[2,13,6,5]"));
    expect_like_ref(one_node("%x: " + t + "[1,8,7,7]",
                             "pool(%x) {kind=average, " + window + ", count_include_pad=true}",
                             t + "[1,8,4,4]"));
  }
  expect_like_ref(one_node("%x: i8[2,20,8,8] q(0.1)", "pool(%x) {kind=max, " + window + "}",
                           "i8[2,20,4,4] q(0.1)"));
  expect_like_ref(one_node("%x: i8[2,20,8,8] q(0.1)", "pool(%x) {kind=average, " + window + "}",
                           "i8[2,20,4,4] q(0.07)"));
}

TEST(MapOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* type : {"f16", "f32"}) {
    const std::string t = type;
    for (const char* kind : {"sum", "sub", "prod", "div", "min", "max"}) {
      const std::string attributes = " {kind=" + std::string(kind) + "}";
      expect_like_ref(one_node("%a: " + t + "[2,5,7,3], %b: " + t + "[2,5,7,3]",
                               "elementwise(%a, %b)" + attributes, t + "[2,5,7,3]"));
      expect_like_ref(one_node("%a: " + t + "[2,16,7,3], %b: " + t + "[2,16,1,1]",
                               "elementwise(%a, %b)" + attributes, t + "[2,16,7,3]"));
      expect_like_ref(one_node("%a: " + t + "[3,1,4], %b: " + t + "[5,1]",
                               "elementwise(%a, %b)" + attributes, t + "[3,5,4]"));
    }
    for (const char* kind : {"relu", "sigmoid", "tanh", "elu", "softplus", "hard_sigmoid",
                             "hard_swish", "gelu_erf", "gelu_tanh", "mish"})
      expect_like_ref(one_node(
          "%a: " + t + "[2,9,5]",
          "activation(%a) {kind=" + std::string(kind) + ", alpha=0.3, beta=0.5}", t + "[2,9,5]"));
    for (const char* kind : {"exp", "abs", "neg", "sin", "cos", "ceil", "floor", "round", "erf"})
      expect_like_ref(
          one_node("%a: " + t + "[37]", "unary(%a) {kind=" + std::string(kind) + "}", t + "[37]"));
    expect_like_ref(one_node("%a: " + t + "[2,6,5,4]", "scale(%a, %s, %h)", t + "[2,6,5,4]",
                             "  const %s = f32[6] seed(1)\n  const %h = f32[6] seed(2)\n"));
    expect_like_ref(
        one_node("%a: " + t + "[2,6,5,4]", "transpose(%a) {perm=[0,2,3,1]}", t + "[2,5,4,6]"));
    expect_like_ref(one_node("%a: " + t + "[2,6,5], %b: " + t + "[2,3,5]",
                             "concat(%a, %b) {axis=1}", t + "[2,9,5]"));
    expect_like_ref(one_node("%a: " + t + "[2,6,5]", "slice(%a, %s, %e, %x, %t)", t + "[2,2,3]",
                             "  const %s = i64[2] [4, 1]\n  const %e = i64[2] [0, 4]\n  const %x = "
                             "i64[2] [1, 2]\n  const %t = i64[2] [-2, 1]\n"));
  }
  expect_like_ref(one_node("%a: f32[1,5,3,3]", "reformat(%a)", "i8[1,5,3,3] q(0.01)"));
  expect_like_ref(one_node("%a: i8[1,5,3,3] q(0.01)", "reformat(%a)", "f16[1,5,3,3]"));
  expect_like_ref(one_node("%a: i8[1,5,3,3] q(0.01), %b: i8[1,5,3,3] q(0.02)",
                           "elementwise(%a, %b) {kind=sum, activation=relu}",
                           "i8[1,5,3,3] q(0.03)"));
}

TEST(MoveOnDevice, OneIndexOfAnAxisIsASlice) {
  SKIP_WITHOUT_DEVICE();
  for (const char* index : {"i64[] [-2]", "i64[] [0]"})
    expect_like_ref(one_node("%a: f16[2,6,5]", "gather(%a, %i) {axis=1}", "f16[2,5]",
                             std::string("  const %i = ") + index + "\n"));
  expect_like_ref(one_node("%a: f16[2,6,5]", "gather(%a, %i) {axis=2}", "f16[2,6,1]",
                           "  const %i = i64[1] [3]\n"));
}

TEST(MoveOnDevice, AReshapeToAnotherScaleRoundsAgain) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(R"(graph @g(%x: i8[2,6] q(0.02)) {
  const %s = i64[2] [3, 4]
  const %w = i8[4,5] q(0.01) seed(3)
  %b = reshape(%x, %s) : i8[3,4] q(0.03)
  %y = matmul(%b, %w) : f16[3,5]
  return %y
})");
}

TEST(RowsOnDevice, AgreeWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* type : {"f16", "f32"}) {
    const std::string t = type;
    for (const char* kind : {"sum", "avg", "max", "min", "l1", "l2", "sum_square"}) {
      const std::string start = "reduce(%x) {kind=" + std::string(kind);
      expect_like_ref(one_node("%x: " + t + "[2,24,7,5]", start + ", axes=[2,3], keep_dims=true}",
                               t + "[2,24,1,1]"));
      expect_like_ref(
          one_node("%x: " + t + "[2,9,13]", start + ", axes=[1], keep_dims=false}", t + "[2,13]"));
    }
    expect_like_ref(one_node("%x: " + t + "[2,3,197]", "softmax(%x) {axis=2}", t + "[2,3,197]"));
    expect_like_ref(one_node("%x: " + t + "[2,10,3]", "softmax(%x) {axis=1}", t + "[2,10,3]"));
    expect_like_ref(one_node("%x: " + t + "[2,3,96]", "layer_norm(%x, %g, %b) {axis=2}",
                             t + "[2,3,96]",
                             "  const %g = f32[96] seed(1)\n  const %b = f32[96] seed(2)\n"));
  }
  // Axes that are no neighbours, log-sum-exp, one where the largest is.
  expect_like_ref(R"(graph @g(%x: f32[2,3,4,5], %q: i8[2,6,9] q(0.1)) {
  %a = reduce(%x) {kind=sum, axes=[0,2], keep_dims=true} : f32[1,3,1,5]
  %b = reduce(%x) {kind=max, axes=[1,3], keep_dims=false} : f16[2,4]
  %c = reduce(%q) {kind=avg, axes=[0,2], keep_dims=false} : f16[6]
  %d = reduce(%x) {kind=log_sum_exp, axes=[0,3], keep_dims=false} : f32[3,4]
  %e = reduce(%x) {kind=log_sum_exp, axes=[1,2], keep_dims=true} : f32[2,1,1,5]
  %f = softmax(%x) {kind=hardmax, axis=3} : f32[2,3,4,5]
  %g = softmax(%x) {kind=hardmax, axis=1} : f16[2,3,4,5]
  %h = softmax(%q) {kind=hardmax, axis=2} : f16[2,6,9]
  return %a, %b, %c, %d, %e, %f, %g, %h
})");
}

/// Layouts change on the way; channels that only pad must not leak into results. The largest
/// logits are halves near 31: one unit in the last place of one moves two probabilities by 0.003.
TEST(NetworkOnDevice, MixedLayoutsAgreeWithRef) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(R"(graph @g(%x: f32[2,3,24,24]) {
  const %w0 = f16[20,3,3,3] seed(1)
  const %b0 = f32[20] seed(2)
  const %w1 = f16[20,1,3,3] seed(3)
  const %w2 = f16[12,20,1,1] seed(4)
  const %w3 = f16[12,32,1,1] seed(5)
  const %wf = f16[12,10] seed(6)
  const %shape = i64[2] [2, 12]
  %h = reformat(%x) : f16[2,3,24,24]
  %a = conv(%h, %w0, %b0) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1], activation=silu, alpha=1} : f16[2,20,12,12]
  %d = conv(%a, %w1) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=20, activation=relu} : f16[2,20,12,12]
  %g = reduce(%d) {kind=avg, axes=[2,3], keep_dims=true} : f16[2,20,1,1]
  %s = activation(%g) {kind=sigmoid} : f16[2,20,1,1]
  %m = elementwise(%d, %s) {kind=prod} : f16[2,20,12,12]
  %e = unary(%m) {kind=exp} : f16[2,20,12,12]
  %p = conv(%e, %w2) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f16[2,12,12,12]
  %c = concat(%p, %m) {axis=1} : f16[2,32,12,12]
  %q = conv(%c, %w3) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f16[2,12,12,12]
  %k = reduce(%q) {kind=avg, axes=[2,3], keep_dims=true} : f16[2,12,1,1]
  %f = reshape(%k, %shape) : f16[2,12]
  %l = gemm(%f, %wf) : f16[2,10]
  %o = softmax(%l) {axis=1} : f16[2,10]
  %y = reformat(%o) : f32[2,10]
  return %y, %q
})",
                  1e-2);
}

}  // namespace
}  // namespace dlaexec::gpu
