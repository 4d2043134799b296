#include "build/build.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "ir/text.h"

namespace dlaexec::build {
namespace {

Options options_for(const char* text) {
  Options options;
  options.graph = ir::parse(text);
  options.model_path = "/somewhere/net.onnx";
  return options;
}

const char* const kNet = R"(graph @g(%x: f32[1,16,8,8]) {
  const %w = f32[16,16,3,3] seed(1)
  const %one = f32[1] [2]
  %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,16,8,8]
  %k = elementwise(%one, %one) {kind=sum} : f32[1]
  %s = elementwise(%c, %k) {kind=prod} : f32[1,16,8,8]
  %i = identity(%s) : f32[1,16,8,8]
  %y = activation(%i) {kind=relu} : f32[1,16,8,8]
  return %y
})";

ir::DataType precision_of(const plan::Plan& plan, const std::string& name) {
  for (const plan::Layer& layer : plan.metadata.layers)
    if (layer.name == name) return layer.precision;
  ADD_FAILURE() << "no layer " << name;
  return ir::DataType::Bool;
}

TEST(Build, MeansFp16WhenADlaIsAskedForWithoutInt8) {
  Options options = options_for(kNet);
  EXPECT_EQ(precision_of(build(options), "c"), ir::DataType::Float32);
  options.dla_core = 0;
  options.gpu_fallback = true;
  EXPECT_EQ(precision_of(build(options), "c"), ir::DataType::Float16);
}

TEST(Build, LeavesFp16OffForInt8Alone) {
  Options options = options_for(R"(graph @g(%x: f32[1,16,8,8]) {
    const %w = f32[16,16,3,3] seed(1)
    %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,16,8,8]
    %y = unary(%c) {kind=exp} : f32[1,16,8,8]
    return %y
  })");
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.int8 = true;
  EXPECT_EQ(precision_of(build(options), "c"), ir::DataType::Int8);
  EXPECT_EQ(precision_of(build(options), "y"), ir::DataType::Float32);
  options.fp16 = true;
  EXPECT_EQ(precision_of(build(options), "y"), ir::DataType::Float16);
}

TEST(Build, TellsOfEveryLayerOfTheNetworkWhereItWent) {
  const plan::Plan plan = build(options_for(kNet));
  std::vector<std::string> names, steps;
  for (const plan::Layer& layer : plan.metadata.layers) {
    names.push_back(layer.name);
    steps.push_back(layer.step);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"c", "k", "s", "i", "y"}));
  EXPECT_EQ(steps[0], "c");
  EXPECT_EQ(steps[1], "");  // folded
  EXPECT_EQ(steps[2], "s + y");
  EXPECT_EQ(steps[3], "");
  EXPECT_EQ(steps[4], "s + y");
}

TEST(Build, ShowsTheGraphAtEachStage) {
  Options options = options_for(kNet);
  std::vector<std::string> stages;
  options.on_stage = [&](std::string_view stage, const ir::Graph&) { stages.emplace_back(stage); };
  build(options);
  const std::vector<std::string> wanted = {"import",      "fold-constants", "remove-identities",
                                           "remove-dead", "placement",      "fuse-activation",
                                           "remove-dead", "types",          "steps"};
  EXPECT_EQ(stages, wanted);
}

TEST(Build, RemembersModelBoardAndSettings) {
  Options options = options_for(kNet);
  options.dla_core = 1;
  options.gpu_fallback = true;
  options.pools.dla_sram = 1 << 18;
  const plan::Metadata about = build(options).metadata;
  EXPECT_EQ(about.model, "net.onnx");
  EXPECT_EQ(about.model_hash.size(), 32u);
  EXPECT_EQ(about.platform, "agx-orin-64");
  EXPECT_EQ(about.power_mode, "MAXN");
  EXPECT_EQ(about.dla_core, 1);
  std::string text;
  for (const plan::Setting& setting : about.settings)
    text += setting.name + "=" + setting.value + " ";
  EXPECT_NE(text.find("useDLACore=1 allowGPUFallback=on"), std::string::npos) << text;
  EXPECT_NE(text.find("memPoolSize.dlaSRAM=262144 bytes"), std::string::npos) << text;
}

TEST(Build, RefusesPoolsThatTheDlaCannotHave) {
  Options options = options_for(kNet);
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.pools.dla_local_dram = 5000;
  EXPECT_THROW(build(options), Error);
}

TEST(Build, TurnsToTheGpuWhenAPoolIsTooSmall) {
  Options options = options_for(kNet);
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.pools.dla_global_dram = 4096;  // the weights take 4608 bytes
  log::Capture captured;
  const plan::Plan plan = build(options);
  EXPECT_TRUE(plan.loadables.empty() || precision_of(plan, "c") == ir::DataType::Float16);
  for (const plan::Layer& layer : plan.metadata.layers)
    if (layer.name == "c") {
      EXPECT_EQ(layer.device, ir::Device::Gpu);
      ASSERT_FALSE(layer.findings.empty());
      EXPECT_EQ(layer.findings[0].rule, "place.compiler");
    }
}

TEST(Build, NamesTheFileThatIsNotThere) {
  Options options;
  options.model_path = "/nowhere/net.onnx";
  try {
    build(options);
    FAIL() << "a missing model was built";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/net.onnx"), std::string::npos);
  }
}

TEST(Build, RefusesAnIntegerInputAsAReal) {
  Options options = options_for(R"(graph @g(%x: f32[4], %i: i64[2]) {
    %y = gather(%x, %i) {axis=0} : f32[2]
    return %y
  })");
  options.input_formats = {{ir::DataType::Float32, {ir::Format::Linear}},
                           {ir::DataType::Float16, {ir::Format::Linear}}};
  try {
    build(options);
    FAIL() << "an i64 input became f16";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(), "tensor 'i' holds i64; it cannot be f16 at the network's edge");
  }
}

const char* const kHead = R"(graph @g(%x: f32[1,16,7,7]) {
  const %w = f32[10,16] seed(1)
  %c = activation(%x) {kind=relu} : f32[1,16,7,7]
  %m = reduce(%c) {kind=avg, axes=[2,3], keep_dims=true} : f32[1,16,1,1]
  %r = flatten(%m) {axis=1} : f32[1,16]
  %y = gemm(%r, %w) {transpose_b=true} : f32[1,10]
  return %y
})";

TEST(Build, RewritesLayersForTheDlaWhenAllowed) {
  Options options = options_for(kHead);
  options.dla_core = 0;
  options.gpu_fallback = true;
  EXPECT_EQ(build(options).loadables.size(), 2u);
  options.adjust_for_dla = true;
  const plan::Plan plan = build(options);
  ASSERT_EQ(plan.loadables.size(), 1u);
  EXPECT_EQ(plan.loadables[0].name, "{ForeignNode[c...y/conv]}");
  std::string on_gpu;  // what the rewrite added is counted, too
  for (const plan::Layer& layer : plan.metadata.layers)
    if (layer.device == ir::Device::Gpu) on_gpu += layer.name + " ";
  EXPECT_EQ(on_gpu, "r y/flatten ");
}

TEST(Explain, GivesReasonsAndAdviceAlsoWhereTheBuildWouldFail) {
  Options options = options_for(kHead);
  options.dla_core = 0;
  EXPECT_THROW(build(options), Error);
  const place::Explanation explanation = explain(options);
  ASSERT_EQ(explanation.layers.size(), 4u);
  EXPECT_EQ(explanation.layers[1].findings.at(0).rule, "reduce.kind");
  EXPECT_EQ(explanation.layers[1].advice.at(0).id, "average-pool");
  EXPECT_EQ(explanation.segments.size(), 2u);
}

TEST(Explain, ComesBeforeTheBuildFailsAndFromItsOwnPlacement) {
  Options options = options_for(kHead);
  options.dla_core = 0;
  std::string told;
  options.on_explanation = [&](const place::Explanation& explanation) {
    told = place::explanation_json(explanation);
  };
  EXPECT_THROW(build(options), Error);
  EXPECT_EQ(told, place::explanation_json(explain(options)));
  options.gpu_fallback = true;
  told.clear();
  build(options);
  EXPECT_NE(told, "");
}

/// Eight convolutions of 36 KiB of FP16 weights each.
std::string chain() {
  std::string text =
      "graph @chain(%x0: f32[1,32,8,8]) {\n  const %w = f32[64,32,3,3] seed(1)\n"
      "  const %v = f32[32,64,3,3] seed(2)\n";
  for (int i = 0; i < 8; ++i)
    text += format(
        "  %x{} = conv(%x{}, %{}) {{stride=[1,1], pads=[1,1,1,1], dilation=[1,1]}} : "
        "f32[1,{},8,8]\n",
        i + 1, i, i % 2 ? "v" : "w", i % 2 ? 32 : 64);
  return text + "  return %x8\n}";
}

TEST(Build, CutsANetworkWhoseWeightsDoNotFitThePoolAndNamesPoolAndLack) {
  const std::string text = chain();
  Options options = options_for(text.c_str());
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.pools.dla_global_dram = 128 << 10;  // three of eight
  log::Capture captured;
  const plan::Plan plan = build(options);
  ASSERT_EQ(plan.loadables.size(), 3u);
  EXPECT_EQ(plan.loadables[0].name, "{ForeignNode[x1...x3]}");
  const auto is_reformat = [](const ir::Node& step) { return step.op == ir::Op::Reformat; };
  EXPECT_EQ(std::count_if(plan.graph.nodes.begin(), plan.graph.nodes.end(), is_reformat), 2)
      << "the network's edges; between loadables both sides take CHW16";
  for (const plan::Layer& layer : plan.metadata.layers)
    EXPECT_EQ(layer.device, ir::Device::Dla) << layer.name;
  EXPECT_NE(captured.text().find("take 0.281 MiB of global DRAM, its pool allows 0.125 MiB, so "
                                 "0.156 MiB are missing; raise dlaGlobalDRAM with --memPoolSize. "
                                 "Splitting DLA subgraph at: x4"),
            std::string::npos)
      << captured.text();
}

TEST(Build, CutsANetworkWhoseTensorsDoNotFitThePool) {
  const std::string text = chain();
  Options options = options_for(text.c_str());
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.pools.dla_sram = options.pools.dla_local_dram =
      4096;  // a tensor between two is 4 or 8 KiB
  log::Capture captured;
  const plan::Plan plan = build(options);
  EXPECT_GT(plan.loadables.size(), 2u);
  for (const plan::Layer& layer : plan.metadata.layers)
    EXPECT_EQ(layer.device, ir::Device::Dla) << layer.name;
  EXPECT_NE(captured.text().find("raise dlaLocalDRAM with --memPoolSize"), std::string::npos)
      << captured.text();
}

}  // namespace
}  // namespace dlaexec::build
