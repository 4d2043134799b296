// Random networks of up to 60 layers, placed on a DLA by whole builds: what must hold for any of
// them.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "build/build.h"
#include "dla/compile/compile.h"
#include "dla/rules.h"
#include "ir/text.h"
#include "ref/evaluate.h"
#include "run/engine.h"
#include "support/dla_segments.h"
#include "support/random_graph.h"

namespace dlaexec::run {
namespace {

/// A network, its wishes, and the graph as placement left it.
struct Built {
  ir::Graph network, placed;
  build::Options options;
  plan::Plan plan;
};

Built build_random(uint32_t seed, bool int8) {
  Built made;
  made.network = test::random_network(seed, 5 + static_cast<int>(seed * 7 % 56));
  made.options.graph = made.network;
  made.options.model_path = "random";
  made.options.platform = seed % 3 == 0 ? "agx-xavier" : "agx-orin-64";
  made.options.dla_core = 0;
  made.options.gpu_fallback = true;
  made.options.int8 = int8;
  made.options.fp16 = true;
  made.options.adjust_for_dla = seed % 5 == 0;
  made.options.gpu_device.reset();
  if (seed % 4 == 0) made.options.pools.dla_global_dram = 16 << 10;  // forces cuts
  std::mt19937 random(seed);
  for (const ir::Node& node : made.network.nodes)
    if (random() % 6 == 0) made.options.layer_devices[node.name] = ir::Device::Gpu;
  build::Options watched = made.options;
  watched.on_stage = [&](std::string_view stage, const ir::Graph& graph) {
    if (stage == "placement") made.placed = graph;
  };
  made.plan = build::build(watched);
  return made;
}

/// No layer inside a loadable that the DLA does not have or that the user wants on the GPU.
void expect_dla_layers_only(const Built& made, uint32_t seed) {
  const dla::Platform& board = dla::platform(made.options.platform);
  for (const ir::Node& node : made.placed.nodes) {
    if (node.device != ir::Device::Dla) continue;
    const dla::Target target{board.generation, dla::default_edition(board.generation),
                             *node.precision};
    EXPECT_FALSE(ir::refuses(dla::check(made.placed, node, target))) << seed << " " << node.name;
    for (const std::string& origin : node.origins)
      EXPECT_FALSE(made.options.layer_devices.contains(origin) && origin == node.name) << seed;
  }
}

void expect_caps_and_pools(const Built& made, uint32_t seed) {
  const dla::Platform& board = dla::platform(made.options.platform);
  const dla::PoolLimits limits = dla::default_pools(board.generation);
  EXPECT_LE(made.plan.loadables.size(), 16u) << seed;
  for (const plan::Loadable& section : made.plan.loadables) {
    const dla::Loadable loadable = dla::deserialize(section.bytes, section.owner);
    EXPECT_LE(loadable.pools.sram, limits.sram) << seed;
    EXPECT_LE(loadable.pools.local, limits.local) << seed;
    EXPECT_LE(loadable.pools.global, made.options.pools.dla_global_dram.value_or(limits.global))
        << seed;
  }
}

/// Every step comes after those that make its inputs: loadables make no cycle.
void expect_order(const plan::Plan& plan, uint32_t seed) {
  std::vector<char> made(plan.graph.values.size(), 0);
  for (const ir::ValueId id : plan.graph.inputs) made[static_cast<size_t>(id)] = 1;
  for (const ir::Node& node : plan.graph.nodes) {
    for (const ir::ValueId id : node.inputs)
      EXPECT_TRUE(id == ir::kNoValue || plan.graph.value(id).constant ||
                  made[static_cast<size_t>(id)])
          << seed << " " << node.name;
    for (const ir::ValueId id : node.outputs)
      if (id != ir::kNoValue) made[static_cast<size_t>(id)] = 1;
  }
}

/// ||a - b|| / ||b||
double relative_l2(const ir::Tensor& got, const ir::Tensor& wanted) {
  const std::vector<float> a = got.to_floats(), b = wanted.to_floats();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += std::pow(double{a[i]} - b[i], 2);
    norm += std::pow(double{b[i]}, 2);
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

double worst_fp16(const Built& made, uint32_t seed) {
  const auto inputs = test::random_inputs(made.network, seed);
  EngineOptions host;
  host.gpu_device.reset();
  const Engine engine(made.plan, host);
  Context context(engine);
  context.execute(inputs);
  const std::vector<ir::Tensor> wanted = ref::run(made.network, inputs);
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); ++i)
    worst = std::max(worst, relative_l2(context.outputs()[i], wanted[i]));
  return worst;
}

void expect_scalar_bits(const Built& made, uint32_t seed) {
  for (const plan::Loadable& section : made.plan.loadables) {
    const dla::Loadable loadable = dla::deserialize(section.bytes, section.owner);
    std::vector<ir::Tensor> inputs;
    for (const dla::CubeId id : loadable.inputs) {
      const dla::Cube& cube = loadable.cube(id);
      inputs.push_back(ir::seeded(cube.type, {cube.dims.n, cube.dims.c, cube.dims.h, cube.dims.w},
                                  seed + inputs.size()));
    }
    const std::vector<ir::Tensor> scalar = test::run_dla(loadable, inputs);
    for (const dla::core::Isa isa : dla::core::usable_isas()) {
      const std::vector<ir::Tensor> fast = test::run_dla(loadable, inputs, isa);
      for (size_t i = 0; i < scalar.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(fast[i].bytes(), scalar[i].bytes()))
            << seed << " " << section.name << " " << ir::text(isa);
    }
  }
}

void expect_all(uint32_t first, uint32_t last) {
  size_t loadables = 0;
  double worst = 0;
  for (uint32_t seed = first; seed < last; ++seed) {
    for (const bool int8 : {false, true}) {
      const Built made = build_random(seed, int8);
      loadables += made.plan.loadables.size();
      expect_dla_layers_only(made, seed);
      expect_caps_and_pools(made, seed);
      expect_order(made.plan, seed);
      if (int8)
        expect_scalar_bits(made, seed);
      else
        EXPECT_LT(worst = std::max(worst, worst_fp16(made, seed)), 0.01) << seed;
    }
  }
  testing::Test::RecordProperty("worst_fp16_relative_l2", std::to_string(worst));
  EXPECT_GT(loadables, 2 * (last - first)) << "the networks must be worth something";
}

TEST(PlacementProperties, HoldOnRandomNetworks) { expect_all(0, 60); }

TEST(SlowPlacementProperties, HoldOnManyRandomNetworks) { expect_all(60, 1500); }

const char* const kFused = R"(graph @g(%x: f32[1,16,8,8] q(0.02)) {
  const %w = f32[16,16,3,3] seed(1)
  const %v = f32[16,16,1,1] seed(2)
  %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,16,8,8] q(0.3)
  %r = activation(%c) {kind=relu} : f32[1,16,8,8] q(0.05)
  %y = conv(%r, %v) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,16,8,8] q(0.1)
  return %y
})";

TEST(PlacementProperties, MarkingATensorAsOutputSplitsTheFusionAndChangesInt8Results) {
  const auto operations = [](const plan::Plan& plan) {
    return dla::deserialize(plan.loadables.at(0).bytes, plan.loadables[0].owner).operations.size();
  };
  build::Options options;
  options.model_path = "fused";
  options.graph = ir::parse(kFused);
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.int8 = true;
  const plan::Plan fused = build::build(options);
  options.graph->outputs.push_back(options.graph->find_value("c").value());
  const plan::Plan split = build::build(options);
  EXPECT_EQ(operations(fused), 2u);  // conv with ReLU, conv
  EXPECT_GT(operations(split), operations(fused));
  const auto inputs = test::random_inputs(*options.graph, 1);
  const auto first_output = [&](const plan::Plan& plan) {
    const Engine engine(plan);
    Context context(engine);
    context.execute(inputs);
    return context.outputs().at(0).to_floats();
  };
  const std::vector<float> whole = first_output(fused), parts = first_output(split);
  EXPECT_NE(whole, parts) << "the tensor is rounded to its own range before the ReLU now";
  double largest = 0;
  for (size_t i = 0; i < whole.size(); ++i)
    largest = std::max(largest, std::fabs(double{whole[i]} - parts[i]));
  EXPECT_LT(largest, 5) << "the same network all the same";
}

}  // namespace
}  // namespace dlaexec::run
