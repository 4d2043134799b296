// Convolutions and matrix products on the device against ref/.
#include "gpu/product.h"
#include "on_device.h"

namespace dlaexec::gpu {
namespace {

/// A convolution as a row of the tests.
struct Case {
  int n, c, h, w, k, r, s, stride, pad, dilation = 1, groups = 1;
  const char* activation = "relu";
  bool residual = false;
};

/// The graph of @p t in @p in and @p out; odd sizes on purpose.
std::string graph_of(const Case& t, const std::string& in, const std::string& out) {
  const int p = (t.h + 2 * t.pad - (t.r - 1) * t.dilation - 1) / t.stride + 1;
  const int q = (t.w + 2 * t.pad - (t.s - 1) * t.dilation - 1) / t.stride + 1;
  const std::string qx = in == "i8" ? " q(0.02)" : "", qy = out == "i8" ? " q(0.5)" : "";
  std::string weight_scales = " q(axis=0, ";
  for (int k = 0; k < t.k; ++k)
    weight_scales += format("{}{}", k ? ", " : "", 0.003 + 0.0001 * (k % 17));
  const std::string qw = in == "i8" ? weight_scales + ")" : "";
  std::string text = format("graph @g(%x: {}[{},{},{},{}]{}", in, t.n, t.c, t.h, t.w, qx);
  if (t.residual) text += format(", %r: {}[{},{},{},{}]{}", out, t.n, t.k, p, q, qy);
  text += format(") {{\n  const %w = {}[{},{},{},{}]{} seed(3)\n  const %b = f32[{}] seed(4)\n", in,
                 t.k, t.c / t.groups, t.r, t.s, qw, t.k);
  text += format(
      "  %y = conv(%x, %w, %b{}) {{stride=[{},{}], pads=[{},{},{},{}], dilation=[{},{}], "
      "groups={}, residual={}, activation={}, alpha=0.1, beta=6}} : {}[{},{},{},{}]{}\n  return "
      "%y\n}}",
      t.residual ? ", %r" : "", t.stride, t.stride, t.pad, t.pad, t.pad, t.pad, t.dilation,
      t.dilation, t.groups, t.residual, t.activation, out, t.n, t.k, p, q, qy);
  return text;
}

constexpr Case kCases[] = {
    {1, 3, 9, 7, 8, 3, 3, 1, 1},
    {2, 3, 23, 21, 64, 7, 7, 2, 3},  // a first layer
    {2, 1, 12, 12, 5, 3, 3, 2, 1},
    {2, 3, 41, 36, 24, 8, 8, 4, 1},  // an image of its own
    {1, 16, 1, 17, 33, 1, 3, 1, 1},
    {3, 33, 5, 1, 20, 3, 1, 1, 1},
    {2, 64, 14, 14, 64, 1, 1, 1, 0, 1, 1, "relu", true},
    {2, 40, 13, 11, 72, 3, 3, 2, 1, 1, 1, "none", true},
    {1, 128, 7, 7, 256, 3, 3, 1, 1},
    {1, 5, 20, 20, 12, 5, 5, 3, 2, 1, 1, "leaky_relu"},
    {2, 24, 15, 15, 24, 3, 3, 1, 2, 2, 1, "silu"},
    {1, 17, 9, 9, 9, 1, 1, 4, 0, 1, 1, "clip"},
    {1, 512, 7, 7, 48, 1, 1, 1, 0},
    {2, 32, 14, 13, 32, 3, 3, 1, 1, 1, 32},  // depthwise
    {2, 19, 11, 9, 19, 3, 3, 2, 1, 1, 19, "clip", true},
    {1, 40, 10, 10, 40, 5, 5, 1, 2, 1, 40, "silu"},
    {1, 24, 10, 11, 24, 5, 5, 2, 2, 1, 24},
    {1, 16, 9, 9, 16, 3, 3, 1, 2, 2, 16},
    {2, 12, 8, 8, 18, 3, 3, 1, 1, 1, 3},  // grouped
    {2, 6, 9, 7, 6, 3, 3, 1, 1, 1, 2},
    {1, 12, 10, 11, 20, 3, 3, 2, 1, 1, 4, "none", true},
    {2, 128, 14, 13, 128, 3, 3, 1, 1, 1, 32, "relu", true},
    {1, 256, 9, 9, 256, 3, 3, 2, 1, 1, 32},
    {1, 64, 7, 7, 32, 1, 1, 1, 0, 1, 4, "silu"},
    {2, 96, 8, 9, 96, 3, 3, 1, 2, 2, 4, "clip", true},
    {1, 256, 7, 7, 256, 3, 3, 1, 1, 1, 4},
    {1, 144, 7, 9, 240, 5, 5, 1, 2, 1, 3},
};

TEST(ConvOnDevice, HalfAgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const Case& t : kCases) expect_like_ref(graph_of(t, "f16", "f16"));
  expect_like_ref(graph_of(kCases[6], "f16", "f32"));
}

TEST(ConvOnDevice, Int8IsExactButForTiesOfTheLastRounding) {
  SKIP_WITHOUT_DEVICE();
  for (const Case& t : kCases) expect_like_ref(graph_of(t, "i8", "i8"));
  expect_like_ref(graph_of(kCases[6], "i8", "f16"));
  expect_like_ref(graph_of(kCases[7], "i8", "f32"), 1e-5);
}

TEST(ConvOnDevice, FloatAgreesWithinTf32) {
  SKIP_WITHOUT_DEVICE();
  for (const Case& t : kCases) expect_like_ref(graph_of(t, "f32", "f32"), 1e-3);
}

/// Every tactic in @p type for @p k output channels: unsplit, split in @p split, with staying
/// weights.
std::vector<std::string> tactics_of(const std::string& type, int split, int k) {
  std::vector<std::string> tactics;
  for (ProductTactic tactic : all_product_tactics(device().target())) {
    if (tactic.unit != ProductTactic::Unit::Mma && type == "f32") continue;
    for (const int parts : {1, split, 0}) {  // 0: weights stay
      if (tactic.unit == ProductTactic::Unit::Halo) continue;
      tactic.split = std::max(parts, 1);
      tactic.stays = parts == 0;
      if (!exists(tactic)) continue;
      if (tactic.stays && tactic.k < k) continue;  // one tile along k
      tactics.push_back(to_text(tactic));
    }
  }
  return tactics;
}

/// @p part: only tactics whose text holds it.
void expect_same_with_every_tactic(const Case& t, const std::string& type, int split,
                                   const std::string& part = "") {
  const ir::Graph graph = ir::parse(graph_of(t, type, type));
  const std::vector<ir::Tensor> inputs = random_inputs(graph);
  const std::vector<ir::Tensor> wanted = ref::run(graph, inputs);
  std::vector<std::string> tactics = tactics_of(type, split, t.k);
  std::erase_if(tactics,
                [&](const std::string& text) { return text.find(part) == std::string::npos; });
  const auto options_with = [](const std::string& tactic) {
    LowerOptions options;
    options.choose = [tactic](const std::string&, const std::vector<std::string>&) {
      return tactic;
    };
    return options;
  };
  std::vector<LowerOptions> ways;
  std::erase_if(tactics, [&](const std::string& tactic) {
    LowerOptions options = options_with(tactic);
    for (const Step& step : lower(graph, device().target(), options).steps)
      if (step.launch.shared_bytes > device().target().shared_bytes) return true;
    ways.push_back(std::move(options));
    return false;
  });
  compile_ahead(graph, ways);
  for (const std::string& tactic : tactics) {
    SCOPED_TRACE(type + " with " + tactic);
    expect_close(run_on_device(graph, inputs, options_with(tactic))[0], wanted[0], 2e-3);
    if (testing::Test::HasFatalFailure()) return;
  }
}

/// @p t in every bulk tactic, for what only they do: edges of patches, pieces of taps.
void expect_same_with_every_bulk_tactic(const Case& t, const std::string& type) {
  expect_same_with_every_tactic(t, type, 2, "bulk ");
}

class EveryTacticOnDevice : public testing::TestWithParam<const char*> {};

TEST_P(EveryTacticOnDevice, GivesTheSame) {
  SKIP_WITHOUT_DEVICE();
  expect_same_with_every_tactic({2, 72, 13, 11, 88, 3, 3, 1, 1, 1, 1, "relu", true}, GetParam(), 2);
  expect_same_with_every_tactic({2, 200, 9, 9, 136, 1, 1, 1, 0, 1, 1, "none", true}, GetParam(), 4);
}

INSTANTIATE_TEST_SUITE_P(Type, EveryTacticOnDevice, testing::Values("f16", "i8", "f32"));

TEST(BulkOnDevice, WalksPatchesOfEveryStridePaddingAndDilation) {
  SKIP_WITHOUT_DEVICE();
  if (!device().target().is_hopper()) GTEST_SKIP() << "no copy engine before sm_90";
  for (const char* type : {"f16", "i8"})
    for (const Case& t : {Case{3, 64, 14, 14, 64, 3, 3, 1, 1, 1, 1, "relu", true},
                          {2, 128, 15, 11, 72, 3, 3, 2, 1},
                          {1, 144, 9, 20, 200, 3, 3, 1, 2, 2, 1, "silu"},
                          {5, 256, 7, 7, 256, 1, 1, 2, 0},
                          {1, 136, 12, 12, 40, 5, 3, 1, 1},
                          {2, 512, 7, 7, 320, 1, 1, 1, 0, 1, 1, "none", true},
                          {4, 64, 20, 20, 256, 1, 1, 1, 0, 1, 1, "relu", true},
                          {1, 1024, 3, 3, 136, 3, 3, 1, 1},
                          // Several tiles a block, sums longer and shorter than the ring.
                          {66, 64, 16, 16, 192, 1, 1, 1, 0, 1, 1, "none", true},
                          {66, 72, 16, 16, 64, 3, 3, 1, 1},
                          {33, 768, 8, 16, 136, 1, 1, 1, 0, 1, 1, "gelu_erf"}})
      expect_same_with_every_bulk_tactic(t, type);
}

class GroupsOnDevice : public testing::TestWithParam<const char*> {};

TEST_P(GroupsOnDevice, GiveTheSameWithEveryTactic) {
  SKIP_WITHOUT_DEVICE();
  for (const Case& t : {Case{2, 128, 13, 11, 128, 3, 3, 1, 1, 1, 32, "relu", true},
                        {1, 240, 9, 9, 240, 3, 3, 2, 1, 1, 10, "none", true}})
    for (const char* part : {" r128 s3", "bulk"})  // one pipeline of each tile
      expect_same_with_every_tactic(t, GetParam(), 2, part);
}

INSTANTIATE_TEST_SUITE_P(Type, GroupsOnDevice, testing::Values("f16", "i8", "f32"));

TEST(HaloOnDevice, AgreesWithRefInEveryForm) {
  SKIP_WITHOUT_DEVICE();
  if (!device().target().is_hopper()) GTEST_SKIP() << "no copy engine before sm_90";
  for (const char* type : {"f16", "i8"})
    for (const Case& t : {Case{3, 64, 14, 14, 64, 3, 3, 1, 1},
                          {2, 56, 13, 56, 40, 3, 3, 1, 1, 1, 1, "silu"},
                          {5, 24, 9, 50, 40, 5, 3, 1, 2},
                          {1, 64, 5, 126, 64, 1, 3, 1, 0},
                          {2, 32, 11, 7, 128, 3, 3, 1, 1, 1, 1, "none"},
                          {37, 64, 30, 28, 64, 3, 3, 1, 1}}) {  // several tiles a block
      const ir::Graph graph = ir::parse(graph_of(t, type, type));
      std::vector<std::string> tactics = lower(graph, device().target()).choices.at(0).tactics;
      std::erase_if(tactics, [](const std::string& text) { return text.rfind("halo", 0) != 0; });
      EXPECT_FALSE(tactics.empty());
      for (const std::string& tactic : tactics)
        expect_like_ref(graph_of(t, type, type), 2e-3, tactic);
    }
}

TEST(ProductOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  for (const char* type : {"f16", "f32"}) {
    const auto gemm = [&](int m, int k, int n, const char* attributes, const char* b) {
      expect_like_ref(
          format(
              "graph @g(%a: {0}[{1},{2}]) {{\n  const %b = {0}[{5}] seed(1)\n  const %c = "
              "f32[{3}] seed(2)\n  %y = gemm(%a, %b, %c) {{{4}}} : {0}[{1},{3}]\n  return %y\n}}",
              type, m, k, n, attributes, b),
          2e-3);
    };
    gemm(1, 2048, 1000, "", "2048,1000");
    gemm(5, 33, 10, "transpose_b=true", "10,33");
    gemm(128, 64, 72, "transpose_b=true, activation=gelu_erf", "72,64");
    // An odd number of columns, and weights that are no constant.
    expect_like_ref(format(
        "graph @g(%a: {0}[3,50,64], %b: {0}[3,64,197]) {{\n  %y = matmul(%a, %b) : {0}[3,50,197]\n"
        "  return %y\n}}",
        type));
    for (const char* shape : {"2,3,17,33", "1,2,64,197"}) {
      const std::string s = shape;
      const std::string turned = s == "2,3,17,33" ? "2,3,33,20" : "1,2,197,64";
      const std::string y = s == "2,3,17,33" ? "2,3,17,20" : "1,2,64,64";
      expect_like_ref(
          format("graph @g(%a: {0}[{1}], %b: {0}[{2}]) {{\n  %y = matmul(%a, %b) : {0}[{3}]\n  "
                 "return %y\n}}",
                 type, s, turned, y));
    }
    expect_like_ref(format(
        "graph @g(%a: {0}[2,7,40], %r: {0}[2,7,24]) {{\n  const %b = {0}[40,24] seed(1)\n  const "
        "%c = f32[24] seed(2)\n  %y = matmul(%a, %b, %c, %r) {{residual=true, "
        "activation=relu}} : {0}[2,7,24]\n  return %y\n}}",
        type));
  }
}

TEST(DeconvOnDevice, AgreesWithRef) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(R"(graph @g(%x: f16[2,10,6,5]) {
  const %w = f16[10,12,4,4] seed(1)
  const %b = f32[12] seed(2)
  %y = deconv(%x, %w, %b) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1], output_padding=[0,0], activation=relu} : f16[2,12,12,10]
  return %y
})");
  expect_like_ref(R"(graph @g(%x: f16[1,8,5,5]) {
  const %w = f16[8,3,3,3] seed(1)
  %y = deconv(%x, %w) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1], output_padding=[1,1], groups=2} : f16[1,6,10,10]
  return %y
})");
}

}  // namespace
}  // namespace dlaexec::gpu
