// Whole boards that are not here: every step modelled, nothing run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "ir/text.h"
#include "run/engine.h"
#include "run/gpu_roofline.h"
#include "support/net.h"

namespace dlaexec::run {
namespace {

using testing::HasSubstr;

enum class Where { Gpu, Dla };

plan::Plan plan_of(ir::Graph graph, Where where) {
  const log::Sink before = log::set_sink({});
  build::Options options;
  options.graph = std::move(graph);
  options.fp16 = options.int8 = true;
  options.gpu_fallback = true;
  if (where == Where::Dla) options.dla_core = 0;
  plan::Plan plan = build::build(options);
  log::set_sink(before);
  return plan;
}

EngineOptions predicting(std::string platform = "", std::string mode = "") {
  EngineOptions options;
  options.predict = true;
  options.board.platform = std::move(platform);
  options.board.power_mode = std::move(mode);
  return options;
}

Timeline predicted(const Engine& engine, const ir::Dims& dims) {
  Context context(engine);
  return context.execute(std::vector{ir::Tensor::zeros(ir::DataType::Float32, dims)});
}

TEST(Predict, ModelsEveryStepAndRunsNone) {
  const Engine engine(plan_of(test::network("resnet50"), Where::Dla), predicting());
  EXPECT_EQ(engine.timeline_kind(), TimelineKind::Predicted);
  for (const Step& step : engine.steps()) {
    EXPECT_EQ(step.kind, Kind::Modelled) << step.name;
    EXPECT_NE(step.processor, Processor::Host) << step.name;
  }
  Context context(engine);
  const Timeline timeline =
      context.execute(std::vector{ir::Tensor::zeros(ir::DataType::Float32, {1, 3, 224, 224})});
  EXPECT_EQ(timeline.wall.count(), 0);
  EXPECT_GT(timeline.total.count(), 500'000);
  EXPECT_EQ(context.outputs().at(0).dims(), (ir::Dims{1, 1000}));
}

TEST(Predict, ComparesGpuAloneWithTheDlaOnAnyPowerMode) {
  const Engine gpu(plan_of(test::network("resnet50"), Where::Gpu), predicting());
  const Engine dla(plan_of(test::network("resnet50"), Where::Dla), predicting());
  const auto milliseconds = [](const Engine& engine, std::string mode) {
    BoardOptions wanted;
    wanted.power_mode = std::move(mode);
    const Board board = board_of(engine.plan().metadata, wanted);
    return static_cast<double>(engine.predict(board).total.count()) / 1e6;
  };
  EXPECT_LT(milliseconds(gpu, "MAXN"), milliseconds(dla, "MAXN"));
  EXPECT_GT(milliseconds(gpu, "15W"), 1.5 * milliseconds(gpu, "MAXN"));
  EXPECT_GT(milliseconds(dla, "15W"), 1.5 * milliseconds(dla, "MAXN"));
}

TEST(Predict, RefusesShapesThatAreOpen) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[N,4]) {
      %y = activation(%x) {kind=relu} : f32[N,4]
      return %y
    })");
  build::Options options;
  options.graph = std::move(graph);
  options.shapes = {{"x", {1, 4}, {2, 4}, {8, 4}}};
  const plan::Plan plan = build::build(options);
  ASSERT_FALSE(ir::is_static(plan.graph.value(plan.graph.inputs[0]).shape));
  try {
    const Engine engine(plan, predicting());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.sentence(), HasSubstr("--predict needs every shape"));
  }
}

/// A network's published time on a board's GPU.
struct GpuRow {
  const char* platform;
  const char* mode;
  const char* network;
  int64_t batch;
  double images_per_second;
};

/// MLPerf inference 1.1 and 2.0, NVIDIA's harness, GPU-only offline expectations, INT8. The batch
/// of the tables is 64 and more; layers are as long per image from 16 on.
constexpr GpuRow kRows[] = {
    {"agx-xavier", "MAXN", "resnet50", 16, 1478},
    {"xavier-nx", "20W", "resnet50", 16, 739},
    {"agx-orin-64", "MAXN", "resnet50", 16, 4500},
};

TEST(Predict, StatesTheErrorThatPublishedGpuRatesShow) {
  double sum = 0;
  for (const GpuRow& row : kRows) {
    const Engine engine(plan_of(test::network(row.network, row.batch), Where::Gpu),
                        predicting(row.platform, row.mode));
    const double seconds =
        static_cast<double>(predicted(engine, {row.batch, 3, 224, 224}).total.count()) / 1e9;
    const double error = seconds * row.images_per_second / static_cast<double>(row.batch) - 1;
    std::printf("%s %s %s: %+.0f %%\n", row.platform, row.mode, row.network, 100 * error);
    sum += std::abs(error);
  }
  EXPECT_LE(sum / std::size(kRows), dla::kRooflineError);
  EXPECT_GE(sum / std::size(kRows), dla::kRooflineError - 0.1);  // not stated worse than it is
}

}  // namespace
}  // namespace dlaexec::run
