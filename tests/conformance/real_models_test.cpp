// The trained models beside the checkout: imported, run, compared with stored references.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "conformance/executor.h"
#include "conformance/real_models.h"
#include "cpu/program.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

using nlohmann::json;

/// Stored elements beside those found at the same places.
struct Pair {
  std::vector<float> found, expected;
};

Pair pair_of(const std::string& data, const json& output, const ir::Tensor& tensor) {
  Pair pair;
  const std::vector<float> all = tensor.to_floats();
  if (output.contains("file")) {
    pair.expected = read_npy(data, output["file"]).to_floats();
    pair.found = all;
    return pair;
  }
  pair.expected = read_npy(data, output["value"]).to_floats();
  for (const int64_t at : read_npy(data, output["index"]).to_ints())
    pair.found.push_back(all.at(static_cast<size_t>(at)));
  return pair;
}

double largest_error(const Pair& pair) {
  double largest = 0;
  for (size_t i = 0; i < pair.found.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(pair.found[i]) - pair.expected[i]));
  return largest;
}

/// Q/DQ models round at ties, where float noise decides: their outputs are compared by direction.
bool is_quantized(const json& model) { return model["ops"].contains("QuantizeLinear"); }

void compare(const std::string& data, const json& model, const json& output,
             const ir::Tensor& tensor) {
  const Pair pair = pair_of(data, output, tensor);
  ASSERT_EQ(pair.found.size(), pair.expected.size());
  if (is_quantized(model)) {
    EXPECT_GE(cosine(pair.found, pair.expected), 0.99);
    EXPECT_EQ(best(pair.found), best(pair.expected));
    return;
  }
  const double spread = output["max"].get<double>() - output["min"].get<double>();
  const double tolerance = output["dtype"] == "float16" ? 1e-2 : 1e-4;
  EXPECT_LE(largest_error(pair), tolerance * spread) << output["name"];
}

using Parameter = std::tuple<const char*, const char*>;

class RealModel : public testing::TestWithParam<Parameter> {};

TEST_P(RealModel, GivesTheStoredOutputs) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  const std::string data = *shared_dir() + "/data";
  const json model = model_description(data, std::get<0>(GetParam()));
  if (model["ops"].contains("QLinearConv"))
    GTEST_SKIP() << "stored where sums of two products saturate: IntegerNetwork compares it";
  const onnx::Imported imported = onnx::import_file(data + "/" + model["model"].get<std::string>());
  const ir::Graph& graph = imported.graph;
  for (const json& test : model["cases"]) {
    const ir::Tensor input = preprocessed(read_npy(data, test["input"]["u8"]), model,
                                          graph.value(graph.inputs.at(0)).type);
    const Tensors found = executor(std::get<1>(GetParam())).run(graph, {input});
    for (const json& output : test["outputs"]) {
      const auto id = graph.find_value(output["name"].get<std::string>());
      ASSERT_TRUE(id.has_value()) << output["name"];
      const auto at = std::find(graph.outputs.begin(), graph.outputs.end(), *id);
      ASSERT_NE(at, graph.outputs.end()) << output["name"];
      compare(data, model, output, found[static_cast<size_t>(at - graph.outputs.begin())]);
    }
  }
}

TEST(RealModelThreads, GiveTheSameBitsHoweverManyTheyAre) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  const std::string data = *shared_dir() + "/data";
  for (const char* name : {"resnet20_cifar10", "vww_mobilenetv1_025", "ultraface_rfb320"}) {
    const json model = model_description(data, name);
    const ir::Graph graph = onnx::import_file(data + "/" + model["model"].get<std::string>()).graph;
    const Tensors input = {preprocessed(read_npy(data, model["cases"][0]["input"]["u8"]), model,
                                        graph.value(graph.inputs.at(0)).type)};
    const plan::Plan plan = plan_for_host(graph, input);
    Tensors alone;
    for (const int threads : {1, 2, 3, 5}) {
      ThreadPool pool(threads);
      const Tensors found = cpu::Program(plan.graph, pool).run(input);
      if (threads == 1) alone = found;
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(found[i].bytes(), alone[i].bytes()))
            << name << ", output " << i << " on " << threads << " threads";
    }
  }
}

std::string name_of(const testing::TestParamInfo<Parameter>& info) {
  return test_name(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(Quick, RealModel,
                         testing::Combine(testing::ValuesIn(small_models()),
                                          testing::Values("ref", "cpu")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Slow, RealModel,
                         testing::Combine(testing::ValuesIn(large_models()),
                                          testing::Values("ref", "cpu")),
                         name_of);

}  // namespace
}  // namespace dlaexec::test
