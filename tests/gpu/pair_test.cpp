// Two 1 x 1 convolutions in one launch: where they are offered, and that the device agrees with
// ref/.
#include "gpu/kernels/pair.h"

#include <gmock/gmock.h>

#include "gpu/groups.h"
#include "on_device.h"

namespace dlaexec::gpu {
namespace {

using testing::ElementsAre;

struct Case {
  int images, inputs, height, width, wide, narrow;
  bool residual = true;
  const char* first = "relu";
  const char* second = "relu";
  int shortcut = 0, stride = 1;  ///< channels of what a third convolution makes the residual from
  int first_stride = 1;
};

/// The two convolutions of @p t in @p type; the wide result is seen outside, too.
std::string graph_of(const Case& t, const std::string& type) {
  const auto value = [&](int channels, const char* scale, int stride = 1) {
    return format("{}[{},{},{},{}]{}", type, t.images, channels, (t.height - 1) * stride + 1,
                  (t.width - 1) * stride + 1, type == "i8" ? format(" q({})", scale) : "");
  };
  const auto weights = [&](const char* name, int k, int c, int seed) {
    std::string scales = " q(axis=0";
    for (int i = 0; i < k; ++i) scales += format(", {}", 0.002 + 0.0001 * (i % 13));
    return format(
        "  const %w{0} = {1}[{2},{3},1,1]{4} seed({5})\n  const %b{0} = f32[{2}] seed({6})\n", name,
        type, k, c, type == "i8" ? scales + ")" : "", seed, seed + 1);
  };
  constexpr const char* kForm =
      "stride=[{0},{0}], pads=[0,0,0,0], dilation=[1,1], groups=1, residual={1}, activation={2}, "
      "alpha=0.1, beta=6";
  std::string text = "graph @g(%x: " + value(t.inputs, "0.02", t.first_stride);
  if (t.shortcut)
    text += ", %s: " + value(t.shortcut, "0.02", t.stride);
  else if (t.residual)
    text += ", %r: " + value(t.wide, "0.11");
  text += ") {\n" + weights("1", t.wide, t.inputs, 3) + weights("2", t.narrow, t.wide, 5);
  if (t.shortcut)
    text += weights("0", t.wide, t.shortcut, 7) + "  %r = conv(%s, %w0, %b0) {" +
            format(kForm, t.stride, false, "none") + "} : " + value(t.wide, "0.11") + "\n";
  text += format("  %y = conv(%x, %w1, %b1{}) {{", t.residual ? ", %r" : "") +
          format(kForm, t.first_stride, t.residual, t.first) + "} : " + value(t.wide, "0.3") + "\n";
  text += "  %z = conv(%y, %w2, %b2) {" + format(kForm, 1, false, t.second) +
          "} : " + value(t.narrow, "0.7") + "\n  return %y, %z\n}";
  return text;
}

std::vector<std::string> files(const std::string& text, const char* architecture,
                               const std::string& tactic = "") {
  const ir::Graph graph = ir::parse(text);
  LowerOptions options;
  options.internal_edges = true;
  options.choose = [&](const std::string& problem, const std::vector<std::string>&) {
    return problem.rfind("pair ", 0) == 0 ? tactic : std::string();
  };
  std::vector<std::string> names;
  for (const Step& step : lower(graph, target_of(architecture), options).steps)
    names.push_back(step.kernel.file);
  return names;
}

TEST(Pair, IsOneLaunchWhereBlocksCanSendEachOtherSums) {
  const std::string text = graph_of({1, 256, 14, 14, 1024, 256}, "f16");
  EXPECT_THAT(files(text, "sm_90a", "cluster 32x64 w2x4"), ElementsAre("pair_cluster.cu"));
  EXPECT_EQ(files(text, "sm_90a", std::string(kApart)).size(), 2u);
  EXPECT_THAT(files(text, "sm_87"), ElementsAre("conv_mma.cu", "conv_mma.cu"));
}

TEST(Pair, TakesTheConvolutionThatMakesItsResidualAlong) {
  const std::string text =
      graph_of({1, 128, 14, 14, 512, 128, true, "relu", "relu", 256, 2}, "f16");
  EXPECT_THAT(files(text, "sm_90a", "cluster 32x64 w2x4"), ElementsAre("pair_cluster.cu"));
  EXPECT_THAT(files(text, "sm_90a", "bulk g2 i1 w3 o2"), ElementsAre("pair_bulk.cu"));
  EXPECT_EQ(files(text, "sm_90a", std::string(kApart)).size(), 3u);
}

TEST(Pair, ApartItPosesTheProblemOfEachToo) {
  const ir::Graph graph = ir::parse(graph_of({1, 256, 14, 14, 1024, 256}, "f16"));
  LowerOptions options;
  options.choose = [](const std::string& problem, const std::vector<std::string>&) {
    return problem.rfind("pair ", 0) == 0 ? std::string(kApart) : std::string();
  };
  const std::vector<Choice> choices = lower(graph, target_of("sm_90a"), options).choices;
  ASSERT_EQ(choices.size(), 3u);
  EXPECT_EQ(choices[0].problem, "pair " + choices[1].problem + " + " + choices[2].problem);
  EXPECT_THAT(choices[0].tactics, testing::Contains(std::string(kApart)));
  EXPECT_THAT(choices[0].nodes, ElementsAre(0, 1));
  EXPECT_THAT(choices[1].nodes, ElementsAre(0));
  EXPECT_THAT(choices[2].nodes, ElementsAre(1));
}

TEST(Pair, ATacticThatDoesNotFitIsRefused) {
  // 2048 channels are 32 blocks of 64, and a cluster has 16.
  EXPECT_THROW(files(graph_of({1, 64, 8, 8, 2048, 256}, "f16"), "sm_90a", "cluster 16x64 w1x4"),
               Error);
}

/// Apart, and every tactic for @p graph.
std::vector<std::string> tactics_for(const ir::Graph& graph) {
  std::vector<std::string> tactics;
  for (const Choice& choice : lower(graph, device().target()).choices)
    if (choice.problem.rfind("pair ", 0) == 0) tactics = choice.tactics;
  return tactics;
}

class PairOnDevice : public testing::TestWithParam<const char*> {};

TEST_P(PairOnDevice, AgreesWithRefInEveryTactic) {
  SKIP_WITHOUT_DEVICE();
  if (!device().target().is_hopper()) GTEST_SKIP() << "no clusters before sm_90";
  for (const Case& t : {Case{1, 64, 8, 9, 256, 64},
                        {1, 256, 14, 14, 1024, 256},
                        {2, 72, 5, 7, 200, 40, false},
                        {1, 40, 3, 11, 72, 136, true, "none", "silu"},
                        {3, 128, 9, 5, 512, 256, true, "leaky_relu", "none"},
                        {1, 512, 1, 1, 1000, 512, false, "clip"},
                        {1, 24, 13, 1, 24, 144, false, "none", "clip"},
                        {1, 64, 8, 9, 256, 64, true, "relu", "relu", 64, 1},
                        {2, 128, 7, 5, 512, 128, true, "relu", "relu", 256, 2},
                        {1, 40, 6, 5, 72, 136, true, "relu", "none", 24, 3},
                        {2, 256, 7, 5, 512, 128, true, "relu", "relu", 128, 1, 2},
                        {1, 72, 6, 5, 80, 40, true, "relu", "none", 0, 1, 2},
                        // Several tiles a block.
                        {11, 64, 57, 51, 160, 64},
                        {9, 136, 61, 61, 72, 72, false, "silu", "none"},
                        {10, 64, 57, 51, 128, 64, true, "relu", "relu", 64, 1}}) {
    const std::string text = graph_of(t, GetParam());
    const ir::Graph graph = ir::parse(text);
    const std::vector<ir::Tensor> inputs = random_inputs(graph), wanted = ref::run(graph, inputs);
    std::vector<LowerOptions> ways;
    const std::vector<std::string> tactics = tactics_for(graph);
    for (const std::string& tactic : tactics)
      ways.emplace_back().choose = [tactic](const std::string& problem,
                                            const std::vector<std::string>&) {
        return problem.rfind("pair ", 0) == 0 ? tactic : std::string();
      };
    EXPECT_GT(tactics.size(), 1u) << "only apart";
    compile_ahead(graph, ways);
    for (size_t way = 0; way < ways.size(); ++way) {
      SCOPED_TRACE(text.substr(0, 60) + " with " + tactics[way]);
      const std::vector<ir::Tensor> got = run_on_device(graph, inputs, ways[way]);
      for (size_t i = 0; i < got.size(); ++i) expect_close(got[i], wanted[i], 2e-3);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Type, PairOnDevice, testing::Values("f16", "i8"));

}  // namespace
}  // namespace dlaexec::gpu
