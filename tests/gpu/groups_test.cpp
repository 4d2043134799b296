// Nodes that run as one launch: which are found, and that the device agrees with ref/.
#include "gpu/groups.h"

#include <gmock/gmock.h>

#include "on_device.h"

namespace dlaexec::gpu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One head of heads of a transformer's layer, from its input to its merged heads.
struct Case {
  int batch, tokens, heads, head;
  const char* scale = "div";
  const char* turn_keys = "perm=[0,2,3,1]";
};

std::string attention(const Case& t) {
  const int width = t.heads * t.head;
  const auto dims = [&](auto... sizes) { return join(std::vector<int>{sizes...}, ","); };
  const std::string x = dims(t.batch, t.tokens, width);
  const std::string split = dims(t.batch, t.tokens, t.heads, t.head);
  const std::string rows = dims(t.batch, t.heads, t.tokens, t.head);
  const std::string columns = dims(t.batch, t.heads, t.head, t.tokens);
  const std::string square = dims(t.batch, t.heads, t.tokens, t.tokens);
  std::string text = format("graph @g(%x: f16[{}]) {{\n", x);
  for (const char* name : {"q", "k", "v"})
    text += format("  const %w{0} = f16[{1},{1}] seed({2})\n  const %b{0} = f32[{1}] seed({2})\n",
                   name, width, static_cast<int>(name[0]));
  text += format("  const %f = f16[] [{}]\n", t.scale == std::string("div") ? 80 : 0.0125);
  text += format("  const %split = i64[4] [{}, {}, {}, {}]\n  const %merge = i64[3] [{}, {}, {}]\n",
                 t.batch, t.tokens, t.heads, t.head, t.batch, t.tokens, width);
  for (const char* name : {"q", "k", "v"})
    text += format(
        "  %{0}0 = matmul(%x, %w{0}, %b{0}) : f16[{1}]\n  %{0}1 = reshape(%{0}0, %split) : "
        "f16[{2}]\n  %{0}2 = transpose(%{0}1) {{{3}}} : f16[{4}]\n",
        name, x, split, name[0] == 'k' ? t.turn_keys : "perm=[0,2,1,3]",
        name[0] == 'k' ? columns : rows);
  text += format(
      "  %s = matmul(%q2, %k2) : f16[{0}]\n  %t = elementwise(%s, %f) {{kind={1}}} : f16[{0}]\n  "
      "%p = softmax(%t) {{axis=3}} : f16[{0}]\n  %c = matmul(%p, %v2) : f16[{2}]\n  %m = "
      "transpose(%c) {{perm=[0,2,1,3]}} : f16[{3}]\n  %y = reshape(%m, %merge) : f16[{4}]\n  "
      "%z = elementwise(%y, %x) {{kind=sum}} : f16[{4}]\n  return %z\n}}",
      square, t.scale, rows, split, x);
  return text;
}

std::vector<std::string> launches(const std::string& text, const char* architecture) {
  std::vector<std::string> names;
  const ir::Graph graph = ir::parse(text);
  for (const Step& step : lower(graph, target_of(architecture)).steps)
    names.push_back(step.kernel.file);
  return names;
}

TEST(Groups, AttentionIsOneLaunchAndItsThreeProductsAreOne) {
  EXPECT_THAT(launches(attention({1, 197, 12, 64}), "sm_87"),
              ElementsAre("conv_mma.cu", "attention.cu", "map.cu"));
}

TEST(Groups, AnAttentionWhoseScoresAreSeenOutsideStaysInParts) {
  std::string text = attention({1, 20, 2, 16});
  text.replace(text.find("return %z"), 9, "return %z, %t");
  EXPECT_THAT(launches(text, "sm_87"), testing::Not(testing::Contains("attention.cu")));
}

constexpr Case kAttentions[] = {{1, 197, 12, 64}, {2, 33, 3, 32, "prod"}, {1, 64, 2, 128},
                                {3, 130, 1, 16},  {1, 5, 2, 80},          {2, 300, 2, 64},
                                {1, 208, 1, 96},  {1, 225, 2, 128}};

TEST(AttentionOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const Case& t : kAttentions) expect_every_tactic_like_ref(attention(t), 4e-3, "attention");
}

/// @p window: before it a depthwise convolution of so many taps a side and such a stride, or none.
struct Window {
  int taps, stride;
};
std::string squeeze(int n, int c, int h, int w, int hidden, const char* act1, const char* act2,
                    Window window = {3, 1}) {
  const int in_h = (h - 1) * window.stride + 1, in_w = (w - 1) * window.stride + 1;
  const std::string before =
      window.taps == 0
          ? "unary(%x) {kind=abs}"
          : format(
                "conv(%x, %w0, %b0) {{stride=[{0},{0}], pads=[{1},{1},{1},{1}], dilation=[1,1], "
                "groups={2}, activation=silu, alpha=1, beta=0}}",
                window.stride, window.taps / 2, c);
  return format(
      R"(graph @g(%x: f16[{0},{1},{8},{9}]) {{
  const %w0 = f16[{1},1,{7},{7}] seed(3)
  const %b0 = f32[{1}] seed(6)
  const %w1 = f16[{4},{1},1,1] seed(1)
  const %b1 = f32[{4}] seed(2)
  const %w2 = f16[{1},{4},1,1] seed(4)
  const %b2 = f32[{1}] seed(5)
  %d = {10} : f16[{0},{1},{2},{3}]
  %m = reduce(%d) {{kind=avg, axes=[2,3], keep_dims=true}} : f16[{0},{1},1,1]
  %a = conv(%m, %w1, %b1) {{stride=[1,1], pads=[0,0,0,0], dilation=[1,1], activation={5}, alpha=1, beta=0}} : f16[{0},{4},1,1]
  %g = conv(%a, %w2, %b2) {{stride=[1,1], pads=[0,0,0,0], dilation=[1,1], activation={6}, alpha=0.2, beta=0.5}} : f16[{0},{1},1,1]
  %y = elementwise(%d, %g) {{kind=prod}} : f16[{0},{1},{2},{3}]
  return %y
}})",
      n, c, h, w, hidden, act1, act2, std::max(window.taps, 1), in_h, in_w, before);
}

TEST(Groups, SqueezeAndExciteIsOneLaunchWhereBlocksCanWaitForEachOther) {
  const std::string text = squeeze(2, 96, 14, 14, 4, "silu", "sigmoid");
  EXPECT_THAT(launches(text, "sm_90a"),
              ElementsAre("image.cu", "depthwise.cu", "squeeze.cu", "image.cu"));
  // With many images the window before it, too.
  EXPECT_THAT(launches(squeeze(64, 96, 14, 14, 4, "silu", "sigmoid"), "sm_90a"),
              ElementsAre("image.cu", "squeeze.cu", "image.cu"));
  EXPECT_THAT(launches(text, "sm_87"), testing::Not(testing::Contains("squeeze.cu")));
}

TEST(SqueezeOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(squeeze(2, 96, 14, 14, 4, "silu", "sigmoid"), 4e-3);
  expect_like_ref(squeeze(1, 32, 40, 37, 8, "relu", "hard_sigmoid"), 4e-3);
  expect_like_ref(squeeze(3, 20, 5, 1, 5, "silu", "sigmoid"), 4e-3);
  expect_like_ref(squeeze(1, 1152, 7, 7, 48, "silu", "sigmoid"), 4e-3);
  expect_like_ref(squeeze(1, 3, 2, 2, 1, "relu", "sigmoid"), 4e-3);
  for (const Window window : {Window{0, 1}, {3, 2}, {5, 1}, {5, 2}}) {
    expect_like_ref(squeeze(2, 40, 13, 11, 10, "silu", "sigmoid", window), 4e-3);
    for (const std::string& text : {squeeze(35, 144, 9, 7, 6, "silu", "sigmoid", window),
                                    squeeze(33, 20, 5, 6, 5, "silu", "sigmoid", window),
                                    squeeze(33, 72, 14, 23, 4, "silu", "sigmoid", window)})
      expect_every_tactic_like_ref(text, 4e-3, "squeeze");
  }
}

TEST(Groups, AReshapeOfATurnedValueCopiesOnlyWhereItMust) {
  const auto graph = [](const char* perm, const char* turned) {
    return format(
        "graph @g(%x: f16[2,6,5,8]) {{\n  const %s = i64[2] [2, 240]\n  %a = unary(%x) "
        "{{kind=neg}} : "
        "f16[2,6,5,8]\n  %t = transpose(%a) {{perm={}}} : f16[{}]\n  %r = reshape(%t, %s) : "
        "f16[2,240]\n  %y = unary(%r) {{kind=abs}} : f16[2,240]\n  return %y\n}}",
        perm, turned);
  };
  EXPECT_EQ(launches(graph("[0,1,2,3]", "2,6,5,8"), "sm_87").size(), 2u);
  EXPECT_EQ(launches(graph("[0,2,1,3]", "2,5,6,8"), "sm_87").size(), 3u);
}

TEST(TurnedOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* perm : {"[0,2,1,3]", "[3,2,1,0]", "[1,0,3,2]"}) {
    ir::Dims dims;
    for (const char* at = perm; *at; ++at)
      if (*at >= '0' && *at <= '3')
        dims.push_back(ir::Dims{2, 6, 5, 8}[static_cast<size_t>(*at - '0')]);
    const std::string turned = join(dims, ",");
    expect_like_ref(format(
        "graph @g(%x: f16[2,6,5,8]) {{\n  const %s = i64[2] [{2}, {3}]\n  %a = unary(%x) "
        "{{kind=neg}} : "
        "f16[2,6,5,8]\n  %t = transpose(%a) {{perm={0}}} : f16[{1}]\n  %r = reshape(%t, %s) : "
        "f16[{2},{3}]\n  %y = unary(%r) {{kind=abs}} : f16[{2},{3}]\n  %z = softmax(%t) {{axis=3}} "
        ": "
        "f16[{1}]\n  return %y, %z, %t\n}}",
        perm, turned, dims[0] * dims[1], dims[2] * dims[3]));
  }
}

TEST(NormOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* type : {"f16", "f32"})
    for (const int length : {8, 96, 100, 768, 1000, 3000})
      for (const char* op : {"layer_norm(%x, %g, %b)", "rms_norm(%x, %g)"})
        expect_like_ref(format(
            "graph @g(%x: {0}[2,7,{1}]) {{\n  const %g = f32[{1}] seed(1)\n  const %b = f32[{1}] "
            "seed(2)\n  %y = {2} {{axis=2}} : {0}[2,7,{1}]\n  return %y\n}}",
            type, length, op));
}

}  // namespace
}  // namespace dlaexec::gpu
