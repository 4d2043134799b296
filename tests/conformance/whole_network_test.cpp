// A whole published network through build, save, load and run on the emulated core. Slow: the
// definition and the scalar core need seconds for billions of products.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "build/build.h"
#include "conformance/difference.h"
#include "conformance/executor.h"
#include "dla/core/core.h"
#include "ir/text.h"
#include "onnx/import.h"
#include "plan/file.h"
#include "ref/evaluate.h"
#include "run/engine.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

/// The ONNX file that models/generate writes for @p network.
std::string generated(const std::string& network) {
  const std::string path = temporary_dir() + "/" + network + ".onnx";
  const std::string command = source_dir() + "/models/generate " + network + " --output " + path;
  if (std::system((command + " > /dev/null").c_str()) != 0) fail("'{}' failed", command);
  return path;
}

plan::Plan built_for_dla(const std::string& model, bool int8) {
  build::Options options;
  options.model_path = model;
  options.fp16 = true;
  options.int8 = int8;
  options.dla_core = 0;
  options.gpu_device = std::nullopt;
  options.gpu_fallback = true;
  const log::Sink before = log::set_sink({});
  plan::Plan plan = build::build(options);
  log::set_sink(before);
  return plan;
}

TEST(SlowResNet50, InFp16OnTheEmulatedCoreIsTheDefinitionWithinOnePercent) {
  const std::string model = generated("resnet50");
  plan::Plan plan = built_for_dla(model, false);
  ASSERT_EQ(plan.loadables.size(), 2U);
  run::EngineOptions options;
  options.gpu_device = std::nullopt;
  const run::Engine engine(std::move(plan), options);
  run::Context context(engine);
  const Tensors inputs{ir::seeded(ir::DataType::Float32, {1, 3, 224, 224}, 7)};
  context.execute(inputs);
  const Tensors wanted = ref::run(onnx::import_file(model).graph, inputs);
  const double error = relative_l2(context.outputs().at(0), wanted.at(0));
  std::cout << format("ResNet-50 in FP16 on the emulated core: relative L2 {:.5f}\n", error);
  EXPECT_LE(error, 0.01);
  EXPECT_GT(error, 0) << "FP16 gives what double gives: it was not FP16";
}

TEST(SlowResNet50, InInt8EveryInstructionSetGivesTheBitsOfTheScalarCore) {
  const plan::Plan plan = built_for_dla(generated("resnet50"), true);
  ASSERT_EQ(plan.loadables.size(), 2U);
  ThreadPool threads(2);
  for (const plan::Loadable& part : plan.loadables) {
    const dla::Loadable loadable = dla::deserialize(part.bytes, part.owner);
    Tensors inputs;
    for (const dla::CubeId id : loadable.inputs) {
      const dla::Nchw& dims = loadable.cube(id).dims;
      inputs.push_back(ir::seeded(loadable.cube(id).type, {dims.n, dims.c, dims.h, dims.w}, 11));
    }
    const Tensors wanted = dla::core::Core(loadable, threads, dla::core::Isa::Scalar).run(inputs);
    for (const dla::core::Isa isa : dla::core::usable_isas()) {
      const Tensors found = dla::core::Core(loadable, threads, isa).run(inputs);
      ASSERT_EQ(found.size(), wanted.size());
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(found[i].bytes(), wanted[i].bytes()))
            << part.name << " on " << ir::text(isa);
    }
  }
}

}  // namespace
}  // namespace dlaexec::test
