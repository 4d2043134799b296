// Plans run as their graphs say, saved or not, on the host and with the DLA.
#include "run/engine.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "build/build.h"
#include "ir/text.h"
#include "plan/file.h"
#include "ref/evaluate.h"
#include "support/paths.h"
#include "support/random_graph.h"

namespace dlaexec::run {
namespace {

build::Options options_for(const ir::Graph& graph) {
  build::Options options;
  options.graph = graph;
  options.model_path = "made-up";
  return options;
}

build::Options dla_options_for(const ir::Graph& graph) {
  build::Options options = options_for(graph);
  options.dla_core = 0;
  options.gpu_fallback = true;
  return options;
}

std::vector<ir::Tensor> outputs_of(const plan::Plan& plan, const std::vector<ir::Tensor>& inputs) {
  const Engine engine(plan);
  Context context(engine);
  context.execute(inputs);
  return context.outputs();
}

plan::Plan saved_and_loaded(const plan::Plan& plan) {
  const std::string path = test::temporary_dir() + "/net.plan";
  plan::save(plan, path);
  return plan::load(path);
}

void expect_close(const std::vector<ir::Tensor>& got, const std::vector<ir::Tensor>& wanted,
                  double tolerance, uint32_t seed) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(test::relative_difference(got[i], wanted[i]), tolerance)
        << "output " << i << " of seed " << seed;
}

void expect_within(const std::vector<ir::Tensor>& got, const std::vector<ir::Tensor>& wanted,
                   double distance, uint32_t seed) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const std::vector<float> a = got[i].to_floats(), b = wanted[i].to_floats();
    for (size_t k = 0; k < a.size(); ++k)
      ASSERT_NEAR(a[k], b[k], distance) << "output " << i << " of seed " << seed;
  }
}

bool same_bits(const std::vector<ir::Tensor>& a, const std::vector<ir::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.type() == y.type() && x.dims() == y.dims() &&
           std::equal(x.bytes().begin(), x.bytes().end(), y.bytes().begin());
  });
}

TEST(Engine, RunsRandomNetworksInInt8AsTheTypedGraphSays) {
  int loadables = 0;
  for (uint32_t seed = 0; seed < 25; ++seed) {
    const ir::Graph network = test::random_network(seed, 10);
    const auto inputs = test::random_inputs(network, seed);
    build::Options options = dla_options_for(network);
    options.int8 = options.fp16 = true;
    ir::Graph typed;
    options.on_stage = [&](std::string_view stage, const ir::Graph& graph) {
      if (stage == "types") typed = graph;
    };
    const plan::Plan plan = build::build(options);
    loadables += static_cast<int>(plan.loadables.size());
    const auto got = outputs_of(plan, inputs);
    // The DLA rounds halves away from zero: a few steps of the fixed range may differ.
    expect_within(got, ref::run(typed, inputs), 3 * 4.0 / 127, seed);
    EXPECT_TRUE(same_bits(outputs_of(saved_and_loaded(plan), inputs), got)) << seed;
  }
  EXPECT_GT(loadables, 25);
}

TEST(Engine, ConcatenatesATensorWithItselfOnTheDla) {
  const ir::Graph network = ir::parse(R"(graph @g(%x: f32[1,16,4,4]) {
    const %w = f32[16,16,1,1] seed(1)
    %c = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[1,16,4,4]
    %y = concat(%c, %c) {axis=1} : f32[1,32,4,4]
    return %y
  })");
  const auto inputs = test::random_inputs(network, 1);
  const plan::Plan plan = build::build(dla_options_for(network));
  ASSERT_EQ(plan.loadables.size(), 1u);
  expect_close(outputs_of(plan, inputs), ref::run(network, inputs), 1e-2, 1);
}

EngineOptions with_outputs(DlaOutputs mode) {
  EngineOptions options;
  options.dla_outputs = mode;
  return options;
}

TEST(Engine, RunsRandomNetworksAsTheDefinitionDoes) {
  for (uint32_t seed = 0; seed < 25; ++seed) {
    const ir::Graph network = test::random_network(seed, 10);
    const auto inputs = test::random_inputs(network, seed);
    const plan::Plan plan = build::build(options_for(network));
    const auto got = outputs_of(plan, inputs);
    expect_close(got, ref::run(network, inputs), 3e-5, seed);
    EXPECT_TRUE(same_bits(outputs_of(saved_and_loaded(plan), inputs), got)) << seed;
  }
}

TEST(Engine, RunsRandomNetworksInHalfPrecisionOnTheDla) {
  int loadables = 0;
  for (uint32_t seed = 0; seed < 25; ++seed) {
    const ir::Graph network = test::random_network(seed, 10);
    const auto inputs = test::random_inputs(network, seed);
    const plan::Plan plan = build::build(dla_options_for(network));
    loadables += static_cast<int>(plan.loadables.size());
    const auto got = outputs_of(plan, inputs);
    expect_close(got, ref::run(network, inputs), 3e-2, seed);
    EXPECT_TRUE(same_bits(outputs_of(saved_and_loaded(plan), inputs), got)) << seed;
  }
  EXPECT_GT(loadables, 25);
}

TEST(Engine, BuildsTheSameBytesEachTime) {
  const ir::Graph network = test::random_network(3, 12);
  EXPECT_EQ(plan::to_bytes(build::build(dla_options_for(network))),
            plan::to_bytes(build::build(dla_options_for(network))));
}

const char* const kDynamic = R"(graph @g(%x: f32[N,3,8,8]) {
  const %w = f32[4,3,3,3] seed(1)
  %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[N,4,8,8]
  %y = activation(%c) {kind=relu} : f32[N,4,8,8]
  return %y
})";

TEST(Engine, RunsAnyValueOfASymbol) {
  const ir::Graph network = ir::parse(kDynamic);
  build::Options options = options_for(network);
  options.shapes = {{"x", {1, 3, 8, 8}, {2, 3, 8, 8}, {4, 3, 8, 8}}};
  const Engine engine(build::build(options));
  Context context(engine);
  for (const int64_t batch : {1, 4, 2, 4}) {
    const ir::Tensor x = ir::seeded(ir::DataType::Float32, {batch, 3, 8, 8}, 7);
    context.execute(std::vector{x});
    expect_close(context.outputs(), ref::run(network, {x}), 1e-5, 0);
  }
}

TEST(Engine, ForgetsTheOldestOfManyShapes) {
  const ir::Graph network = ir::parse(kDynamic);
  build::Options options = options_for(network);
  options.shapes = {{"x", {1, 3, 8, 8}, {2, 3, 8, 8}, {40, 3, 8, 8}}};
  const Engine engine(build::build(options));
  Context context(engine);
  for (int64_t batch = 1; batch <= 40; ++batch) {
    const ir::Tensor x = ir::seeded(ir::DataType::Float32, {batch % 13 + 1, 3, 8, 8}, 7);
    context.execute(std::vector{x});
    expect_close(context.outputs(), ref::run(network, {x}), 1e-5, 0);
  }
}

TEST(Engine, ServesContextsOnSeveralThreads) {
  const ir::Graph network = test::random_network(5, 12);
  const auto inputs = test::random_inputs(network, 5);
  const Engine engine(build::build(dla_options_for(network)));
  Context alone(engine);
  alone.execute(inputs);
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (int& count : equal)
    threads.emplace_back([&] {
      Context context(engine);
      for (int i = 0; i < 10; ++i) {
        context.execute(inputs);
        count += same_bits(context.outputs(), alone.outputs());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 10));
}

TEST(Engine, RefusesInputsThatDoNotFit) {
  build::Options options = options_for(ir::parse(kDynamic));
  options.shapes = {{"x", {1, 3, 8, 8}, {2, 3, 8, 8}, {4, 3, 8, 8}}};
  const Engine engine(build::build(options));
  Context context(engine);
  const auto sentence = [&](const std::vector<ir::Tensor>& inputs) {
    try {
      context.execute(inputs);
    } catch (const Error& error) {
      return error.sentence();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(sentence({}), "the plan has 1 inputs, 0 were given");
  EXPECT_EQ(sentence({ir::Tensor::zeros(ir::DataType::Float32, {1, 3, 8, 9})}),
            "input 'x' is f32 Nx3x8x8, not f32 1x3x8x9");
  EXPECT_EQ(sentence({ir::Tensor::zeros(ir::DataType::Float16, {1, 3, 8, 8})}),
            "input 'x' is f32 Nx3x8x8, not f16 1x3x8x8");
  EXPECT_EQ(sentence({ir::Tensor::zeros(ir::DataType::Float32, {5, 3, 8, 8})}),
            "input 'x' is 5x3x8x8; the plan was built for 1x3x8x8 to 4x3x8x8");
}

/// conv on the DLA, softmax on the host.
ir::Graph split_network() {
  return ir::parse(R"(graph @g(%x: f32[1,16,8,8]) {
    const %w = f32[16,16,3,3] seed(1)
    %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,16,8,8]
    %r = activation(%c) {kind=relu} : f32[1,16,8,8]
    %y = unary(%r) {kind=exp} : f32[1,16,8,8]
    return %y
  })");
}

TEST(Engine, ComposesMeasuredAndModelledTimes) {
  const Engine engine(build::build(dla_options_for(split_network())));
  EXPECT_EQ(engine.timeline_kind(), TimelineKind::Composed);
  Context context(engine);
  const Timeline timeline = context.execute(test::random_inputs(split_network(), 1));
  ASSERT_EQ(timeline.steps.size(), engine.steps().size());
  int modelled = 0, measured = 0;
  for (size_t i = 0; i < timeline.steps.size(); ++i) {
    const Step& step = engine.steps()[i];
    (step.kind == Kind::Modelled ? modelled : measured) += 1;
    EXPECT_LE(timeline.steps[i].start + timeline.steps[i].duration, timeline.total);
    if (step.processor == Processor::Dla) {
      EXPECT_EQ(step.name, "{ForeignNode[c...r]}");
      EXPECT_EQ(step.kind, Kind::Modelled);
      EXPECT_GT(timeline.steps[i].duration.count(), 0);
    }
  }
  EXPECT_EQ(modelled, 3);  // the loadable and the reformats on its two sides
  EXPECT_EQ(measured, 2);  // the exponential in FP16 and the output's reformat to FP32
}

TEST(Engine, ModelsTheSameTimeWhateverTheHostDoes) {
  const Engine engine(build::build(dla_options_for(split_network())));
  Context context(engine);
  const auto inputs = test::random_inputs(split_network(), 1);
  const Timeline first = context.execute(inputs), second = context.execute(inputs);
  for (size_t i = 0; i < first.steps.size(); ++i)
    if (engine.steps()[i].kind == Kind::Modelled) {
      EXPECT_EQ(first.steps[i].duration, second.steps[i].duration);
    }
}

TEST(Engine, ReplayGivesWhatEmulationGives) {
  const plan::Plan plan = build::build(dla_options_for(split_network()));
  const auto a = test::random_inputs(split_network(), 1),
             b = test::random_inputs(split_network(), 2);
  const Engine replaying(plan);
  const Engine emulating(plan, with_outputs(DlaOutputs::Emulate));
  Context kept(replaying), fresh(emulating);
  for (const auto& inputs : {a, a, b, b, a}) {
    kept.execute(inputs);
    fresh.execute(inputs);
    EXPECT_TRUE(same_bits(kept.outputs(), fresh.outputs()));
  }
}

TEST(Engine, ReplayNoticesThatTheCallerChangedItsMemory) {
  const Engine engine(build::build(dla_options_for(split_network())));
  Context context(engine);
  std::vector<ir::Tensor> inputs = {test::random_inputs(split_network(), 1)[0].clone()};
  context.execute(inputs);
  const auto before = context.outputs();
  for (float& element : inputs[0].mutable_as<float>()) element = -element;
  context.execute(inputs);
  EXPECT_FALSE(same_bits(context.outputs(), before));
}

TEST(Engine, TimesWithoutOutputsWhenAskedTo) {
  const plan::Plan plan = build::build(dla_options_for(split_network()));
  const Engine engine(plan, with_outputs(DlaOutputs::None));
  Context context(engine);
  context.execute(test::random_inputs(split_network(), 1));
  for (const float element : context.outputs()[0].to_floats()) ASSERT_EQ(element, 1);  // exp(0)
}

TEST(Engine, RefusesABoardWithTheOtherDla) {
  const plan::Plan plan = build::build(dla_options_for(split_network()));
  try {
    EngineOptions options;
    options.board.platform = "agx-xavier";
    const Engine engine(plan, options);
    FAIL() << "an Orin plan ran on Xavier";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::PlanMismatch);
  }
}

}  // namespace
}  // namespace dlaexec::run
