// The trained models with their layers on a DLA core, in FP16, what it does not take on the host.
#include <gtest/gtest.h>

#include <iostream>

#include "base/format.h"
#include "conformance/executor.h"
#include "conformance/real_models.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

Tensors outputs_of(const run::Engine& engine, const Tensors& inputs) {
  run::Context context(engine);
  context.execute(inputs);
  return context.outputs();
}

class RealModelOnDla : public testing::TestWithParam<const char*> {};

TEST_P(RealModelOnDla, StaysNearFloatInHalfPrecision) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  const std::string data = *shared_dir() + "/data";
  const nlohmann::json model = model_description(data, GetParam());
  const ir::Graph graph = onnx::import_file(data + "/" + model["model"].get<std::string>()).graph;
  const nlohmann::json& test = model["cases"].at(0);
  const ir::Tensor input = preprocessed(read_npy(data, test["input"]["u8"]), model,
                                        graph.value(graph.inputs.at(0)).type);
  const Tensors floats = executor("host").run(graph, {input});
  // A network of integers stays off the DLA and in FP32: it is compared all the same.
  const Tensors halves = outputs_of(host_engine(plan_for_dla(graph, {input})), {input});
  ASSERT_EQ(floats.size(), halves.size());
  double least = 1;
  for (size_t i = 0; i < floats.size(); ++i)
    least = std::min(least, cosine(floats[i].to_floats(), halves[i].to_floats()));
  std::cout << format("{}: cosine {:.6f} to FP32\n", GetParam(), least);
  EXPECT_GE(least, 0.999);
}

std::string name_of(const testing::TestParamInfo<const char*>& info) {
  return test_name(info.param);
}

INSTANTIATE_TEST_SUITE_P(Slow, RealModelOnDla, testing::ValuesIn(small_models()), name_of);
INSTANTIATE_TEST_SUITE_P(SlowLarge, RealModelOnDla, testing::ValuesIn(large_models()), name_of);

}  // namespace
}  // namespace dlaexec::test
