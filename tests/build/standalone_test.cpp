#include "build/standalone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "build/build.h"
#include "ir/text.h"
#include "plan/file.h"
#include "run/engine.h"
#include "run/inputs.h"
#include "run/loadable_plan.h"

namespace dlaexec::build {
namespace {

using testing::HasSubstr;

constexpr const char* kNetwork = R"(graph @net(%x: f32[1,16,8,8]) {
  const %w = f32[32,16,3,3] seed(3)
  %c = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,32,8,8]
  %r = activation(%c) {kind=relu} : f32[1,32,8,8]
  return %r
})";

Options standalone_options(const char* network = kNetwork) {
  Options options;
  options.graph = ir::parse(network);
  options.model_path = "net";
  options.fp16 = true;
  options.dla_core = 0;
  options.direct_io = true;
  options.input_formats = {{ir::DataType::Float16, {ir::Format::Chw16}}};
  options.output_formats = {{ir::DataType::Float16, {ir::Format::Chw16}}};
  return options;
}

std::string sentence(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Standalone, WhatTheModeForbidsIsNamedWithWhatToWrite) {
  Options options = standalone_options();
  require_standalone(options);
  options.gpu_fallback = true;
  EXPECT_THAT(sentence([&] { require_standalone(options); }), HasSubstr("--allowGPUFallback"));
  options = standalone_options();
  options.output_formats[0].formats = {ir::Format::DlaHwc4};  // the DLA only reads it
  EXPECT_THAT(sentence([&] { require_standalone(options); }), HasSubstr("--outputIOFormats"));
  options = standalone_options();
  options.input_formats[0].formats.push_back(ir::Format::DlaLinear);  // two to choose from
  EXPECT_THAT(sentence([&] { require_standalone(options); }), HasSubstr("--inputIOFormats"));
  options = standalone_options();
  options.dla_core.reset();
  EXPECT_THAT(sentence([&] { require_standalone(options); }), HasSubstr("--useDLACore"));
}

TEST(Standalone, ALoadableRunsAloneAsItRunsInItsPlan) {
  const plan::Plan plan = build(standalone_options());
  const std::span<const std::byte> bytes = sole_loadable(plan);
  run::Engine whole(plan), alone(run::plan_of_loadable(bytes, plan.loadables[0].owner));
  ASSERT_EQ(alone.inputs().size(), 1u);
  EXPECT_EQ(alone.inputs()[0].name, "x");
  EXPECT_EQ(alone.inputs()[0].format, ir::Format::Chw16);
  const std::vector<ir::Tensor> inputs = {
      run::random_input(ir::DataType::Float16, {1, 16, 8, 8}, 1)};
  run::Context in_plan(whole), by_itself(alone);
  in_plan.execute(inputs);
  by_itself.execute(inputs);
  EXPECT_EQ(by_itself.outputs()[0].to_floats(), in_plan.outputs()[0].to_floats());
}

TEST(Standalone, ANetworkThatIsNotAllDlaIsRefusedWithItsOtherSteps) {
  Options options = standalone_options();
  options.direct_io = false;
  options.gpu_fallback = true;
  options.input_formats = options.output_formats = {};
  const plan::Plan plan = build(options);  // FP32 at the edges takes reformats
  EXPECT_THAT(
      sentence([&] { sole_loadable(plan); }),
      testing::AllOf(HasSubstr("not all layers are running on DLA"), HasSubstr("REFORMAT")));
}

TEST(Standalone, ALoadableIsNoPlanAndAPlanIsNoLoadable) {
  const plan::Plan plan = build(standalone_options());
  EXPECT_THAT(sentence([&] { plan::from_bytes(sole_loadable(plan), nullptr); }),
              HasSubstr("loadable"));
  const std::string file = plan::to_bytes(plan);
  EXPECT_NE(sentence([&] { run::plan_of_loadable(std::as_bytes(std::span(file)), nullptr); }), "");
}

}  // namespace
}  // namespace dlaexec::build
