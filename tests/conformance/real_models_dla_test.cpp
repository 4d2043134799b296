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

/// One model multiplies what a rounding decides differently from layer to layer: two ways to sum
/// its first convolution that part at five of 400,000 ties end at a cosine of 0.99, in FP32 as
/// well.
double least_cosine(const std::string& model) {
  return model == "mobilenetv2_int8_qop" ? 0.98 : 0.999;
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
  const Tensors halves = executor("dla").run(graph, {input});
  ASSERT_EQ(floats.size(), halves.size());
  double least = 1;
  for (size_t i = 0; i < floats.size(); ++i)
    least = std::min(least, cosine(floats[i].to_floats(), halves[i].to_floats()));
  std::cout << format("{}: cosine {:.6f} to FP32\n", GetParam(), least);
  EXPECT_GE(least, least_cosine(GetParam()));
}

std::string name_of(const testing::TestParamInfo<const char*>& info) {
  return test_name(info.param);
}

INSTANTIATE_TEST_SUITE_P(Slow, RealModelOnDla, testing::ValuesIn(small_models()), name_of);
INSTANTIATE_TEST_SUITE_P(SlowLarge, RealModelOnDla, testing::ValuesIn(large_models()), name_of);

}  // namespace
}  // namespace dlaexec::test
