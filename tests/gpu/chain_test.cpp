// Pointwise chains: which nodes run as one, the source that is written for them, and that it
// computes what ref/ does.
#include <gmock/gmock.h>

#include "gpu/chain_text.h"
#include "gpu/groups.h"
#include "on_device.h"
#include "on_host.h"

namespace dlaexec::gpu {
namespace {

using testing::ElementsAre;

std::vector<std::string> launches(const std::string& text) {
  std::vector<std::string> names;
  const ir::Graph graph = ir::parse(text);
  for (const Step& step : lower(graph, target_of("sm_87")).steps) names.push_back(step.name);
  return names;
}

TEST(Chain, SourceIsOneStatementAValueRoundedToItsType) {
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f16[2,8], %b: f32[8], %q: i8[2,8] q(0.5)) {
  %s = elementwise(%x, %b) {kind=sum, activation=leaky_relu, alpha=0.1} : f16[2,8]
  %m = elementwise(%s, %q) {kind=less} : bool[2,8]
  %y = where(%m, %s, %q) : i8[2,8] q(0.25)
  return %y, %s
})");
  const ir::ValueId x = graph.inputs[0], b = graph.inputs[1], q = graph.inputs[2];
  const ChainShape shape{2, 4, false, {x, b, q}, graph.outputs, {false, false, true}};
  EXPECT_EQ(chain_text(graph, {0, 1, 2}, shape), R"(#include "chain.cuh"

extern "C" __global__ void __launch_bounds__(256)
chain(const __grid_constant__ dlaexec::gpu::ChainParams p) {
  release_next();
  wait_for_inputs();
  for (long long index = blockIdx.x * 256ll + threadIdx.x; index < p.count;
       index += gridDim.x * 256ll) {
    long long in[3], out[2];
    pointwise::locate<2, 4>(p, index, in, out);
    Vector<signed char, 4> y0 = {};
    Vector<half, 4> y1 = {};
    {
      const auto x0 = pointwise::load<half, 4>(p.in[0], in[0]);
      const auto x1 = pointwise::load<float, 4>(p.in[1], in[1]);
      const signed char x2 = pointwise::load_one<signed char>(p.in[2], in[2]);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float v0 = to_float(x0.at[i]);
        const float v1 = to_float(x1.at[i]);
        const float v2 = real(x2, 0.5f);
        const half s3 = from_float<half>(LeakyRelu::of(__fadd_rn(v0, v1), 0.1f, 0.0f));  // elementwise
        const float v3 = to_float(s3);
        y1.at[i] = s3;
        const bool s4 = (static_cast<long long>(v3 < v2)) != 0;  // elementwise
        const long long v4 = static_cast<long long>(s4);
        const signed char s5 = stored<signed char>(v4 != 0 ? v3 : v2, 4.0f);  // where
        const float v5 = real(s5, 0.25f);
        y0.at[i] = s5;
      }
    }
    pointwise::store(p.out[0], out[0], y0);
    pointwise::store(p.out[1], out[1], y1);
  }
}
)");
}

TEST(Chain, RunsInItsLastNodesTurnAndEndsWhereAnotherNeedsAValue) {
  EXPECT_THAT(launches(R"(graph @g(%x: f16[2,8], %w: f16[8,8]) {
  %a = unary(%x) {kind=exp} : f16[2,8]
  %b = elementwise(%a, %x) {kind=prod} : f16[2,8]
  %c = softmax(%b) {axis=1} : f16[2,8]
  %d = activation(%b) {kind=tanh} : f16[2,8]
  %y = elementwise(%c, %d) {kind=sum} : f16[2,8]
  return %y
})"),
              ElementsAre("a + b", "c", "d + y"));
}

TEST(Chain, OfAnyLengthIsOneLaunch) {
  std::string text =
      "graph @g(%x: f32[3,5], %k: f32[1]) {\n  %v0 = unary(%x) {kind=abs} : f32[3,5]\n";
  constexpr int kLength = 50;
  for (int i = 1; i < kLength; ++i)
    text += format("  %v{} = elementwise(%v{}, %{}) {{kind={}}} : f32[3,5]\n", i, i - 1,
                   i % 3 == 0 ? "k" : "x", i % 2 == 0 ? "sum" : "max");
  text += format("  return %v{}\n}}", kLength - 1);
  EXPECT_EQ(launches(text).size(), 1u);
}

TEST(Chain, OtherDimensionsAreOtherLaunches) {
  EXPECT_EQ(launches(R"(graph @g(%x: f32[4,1], %y: f32[1,5]) {
  %a = unary(%x) {kind=exp} : f32[4,1]
  %b = elementwise(%a, %y) {kind=sum} : f32[4,5]
  %c = unary(%b) {kind=abs} : f32[4,5]
  return %c
})")
                .size(),
            2u);
}

TEST(Chain, CompilesForEveryArchitecture) {
  if (!find_nvrtc().table) GTEST_SKIP() << find_nvrtc().reason;
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f16[2,8], %n: i64[2,8]) {
  %s = unary(%x) {kind=asinh} : f16[2,8]
  %c = cast(%s) {to=i64} : i64[2,8]
  %m = elementwise(%c, %n) {kind=mod} : i64[2,8]
  %r = cast(%m) {to=f16} : f16[2,8]
  %p = elementwise(%r, %s) {kind=pow} : f16[2,8]
  return %p
})");
  for (const Target& target : known_targets()) {
    const Lowered lowered = lower(graph, target);
    ASSERT_EQ(lowered.steps.size(), 1u);
    const Cubin cubin = Compiler(target.architecture_name(), default_kernel_cache())
                            .compile(lowered.steps[0].kernel);
    EXPECT_EQ(cubin.spill_bytes, 0) << target.name;
    EXPECT_EQ(cubin.function, "chain");
  }
}

/// Graphs whose chains are compared with ref/.
const char* const kGraphs[] = {
    // Broadcast, mixed types, several results.
    R"(graph @g(%x: f16[2,3,5,8], %c: f32[3,1,1], %r: f16[8], %q: i8[2,3,5,8] q(0.05)) {
  %a = elementwise(%x, %c) {kind=prod} : f32[2,3,5,8]
  %b = elementwise(%a, %r) {kind=sum, activation=silu, alpha=1} : f16[2,3,5,8]
  %d = elementwise(%b, %q) {kind=sub} : i8[2,3,5,8] q(0.03)
  %e = activation(%b) {kind=hard_swish} : f16[2,3,5,8]
  return %d, %e, %a
})",
    // Comparisons, logic and choice.
    R"(graph @g(%x: f32[4,7], %y: f32[4,7], %z: f32[1,7]) {
  %l = elementwise(%x, %y) {kind=less} : bool[4,7]
  %g = elementwise(%x, %z) {kind=greater_or_equal} : bool[4,7]
  %o = elementwise(%l, %g) {kind=xor} : bool[4,7]
  %n = unary(%o) {kind=not} : bool[4,7]
  %w = where(%n, %x, %z) : f32[4,7]
  return %w, %n
})",
    // Integers stay exact: 2^40 and more have no float.
    R"(graph @g(%x: i64[3,4], %i: i32[3,4], %u: u8[3,4]) {
  const %big = i64[] [1099511627777]
  const %seven = i64[] [7]
  %a = elementwise(%x, %big) {kind=sum} : i64[3,4]
  %b = elementwise(%a, %seven) {kind=mod} : i64[3,4]
  %c = cast(%i) {to=i64} : i64[3,4]
  %d = elementwise(%b, %c) {kind=prod} : i64[3,4]
  %e = cast(%d) {to=i32} : i32[3,4]
  %f = cast(%u) {to=f32} : f32[3,4]
  %h = unary(%f) {kind=sqrt} : f32[3,4]
  return %a, %e, %h, %d
})",
    // Every unary of reals.
    R"(graph @g(%x: f32[2,9]) {
  %a = unary(%x) {kind=tan} : f32[2,9]
  %b = unary(%x) {kind=sinh} : f32[2,9]
  %c = unary(%x) {kind=asin} : f32[2,9]
  %d = unary(%x) {kind=atan} : f32[2,9]
  %e = elementwise(%a, %b) {kind=sum} : f32[2,9]
  %f = elementwise(%c, %d) {kind=max} : f32[2,9]
  %g = elementwise(%e, %f) {kind=fmod} : f32[2,9]
  %h = unary(%g) {kind=sign} : f32[2,9]
  %i = unary(%g) {kind=is_nan} : bool[2,9]
  return %g, %h, %i
})",
    // Quantized and back: one scale, a scale a channel, zero points, as layers that stay.
    R"(graph @g(%x: f32[2,3,4,5]) {
  const %s = f32[] [0.01]
  const %z = i8[] [-5]
  const %cs = f32[3] [0.01, 0.02, 0.005]
  const %cz = u8[3] [128, 100, 0]
  %a = quantize(%x, %s, %z) : i8[2,3,4,5]
  %b = dequantize(%a, %s, %z) : f32[2,3,4,5]
  %c = activation(%b) {kind=relu} : f32[2,3,4,5]
  %d = quantize(%c, %cs, %cz) {axis=1, to=u8} : u8[2,3,4,5]
  %e = dequantize(%d, %cs, %cz) {axis=1} : f16[2,3,4,5]
  %f = dequantize(%a, %s) : f32[2,3,4,5]
  return %a, %b, %d, %e, %f
})",
    // One number a channel, and an absurdly small result.
    R"(graph @g(%x: f16[2,6,3,3], %p: f16[6,1,1]) {
  const %s = f32[6] seed(1)
  const %h = f32[6] seed(2)
  %a = scale(%x, %s, %h) : f16[2,6,3,3]
  %b = prelu(%a, %p) : f16[2,6,3,3]
  return %b
})",
};

class EveryChain : public testing::TestWithParam<const char*> {};

TEST_P(EveryChain, AgreesWithRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  expect_like_ref_on_host(GetParam());
}

TEST_P(EveryChain, AgreesWithRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Graph, EveryChain, testing::ValuesIn(kGraphs),
                         [](const auto& graph) { return std::to_string(graph.index); });

}  // namespace
}  // namespace dlaexec::gpu
