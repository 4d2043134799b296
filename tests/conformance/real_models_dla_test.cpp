// The trained models with their layers on a DLA core, in FP16, what it does not take on the host.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

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

bool runs_on_dla(const plan::Plan& plan) {
  return std::ranges::any_of(plan.graph.nodes,
                             [](const ir::Node& node) { return node.op == ir::Op::ForeignNode; });
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
  const plan::Plan plan = plan_for_dla(graph, {input});
  ASSERT_TRUE(runs_on_dla(plan)) << "nothing is compared but FP32 with itself";
  const Tensors halves = outputs_of(host_engine(plan), {input});
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

/// Networks whose layers hold integers or stand between Q/DQ layers: all of them stay in FP32,
/// which the DLA does not compute in.
constexpr std::string_view kInFp32[] = {"mobilenetv2_int8_qop", "mobilenetv2_qdq",
                                        "resnet20_cifar10_qdq", "resnet56_cifar10_qdq"};

std::vector<const char*> with_halves(std::span<const char* const> models) {
  std::vector<const char*> with(models.begin(), models.end());
  std::erase_if(with, [](const char* name) { return std::ranges::count(kInFp32, name) > 0; });
  return with;
}

INSTANTIATE_TEST_SUITE_P(Slow, RealModelOnDla, testing::ValuesIn(with_halves(small_models())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(SlowLarge, RealModelOnDla, testing::ValuesIn(with_halves(large_models())),
                         name_of);

}  // namespace
}  // namespace dlaexec::test
