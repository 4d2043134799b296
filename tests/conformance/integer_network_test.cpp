// The trained network of QLinear operators, whose stored outputs come from a processor that
// saturates sums of two products.
#include <gtest/gtest.h>

#include <iostream>

#include "base/format.h"
#include "conformance/integer_network.h"
#include "conformance/real_models.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

constexpr const char* kModel = "mobilenetv2_int8_qop";

/// The outputs of one stored case, beside what it takes to make them.
struct Case {
  ir::Graph graph;
  Tensors inputs;
  std::vector<float> stored;
};

std::vector<Case> cases() {
  const std::string data = *shared_dir() + "/data";
  const nlohmann::json model = model_description(data, kModel);
  const ir::Graph graph = onnx::import_file(data + "/" + model["model"].get<std::string>()).graph;
  std::vector<Case> cases;
  for (const nlohmann::json& test : model["cases"]) {
    const Tensors inputs = {
        preprocessed(read_npy(data, test["input"]["u8"]), model, ir::DataType::Float32)};
    cases.push_back({with_shapes_of(graph, inputs), inputs,
                     read_npy(data, test["outputs"][0]["file"]).to_floats()});
  }
  return cases;
}

TEST(IntegerNetwork, GivesTheStoredOutputsWherePairsOfProductsSaturate) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  for (const Case& one : cases()) {
    const std::vector<float> found =
        run_in_integers(one.graph, one.inputs, PairSums::Saturated)[0].to_floats();
    std::cout << format("{}: cosine {:.7f} to the stored outputs\n", kModel,
                        cosine(found, one.stored));
    EXPECT_GE(cosine(found, one.stored), 0.99999);
    EXPECT_EQ(best(found), best(one.stored));
  }
}

TEST(IntegerNetwork, IsExactOnEveryEngine) {
  if (!shared_dir()) GTEST_SKIP() << kNoShared;
  for (const Case& one : cases()) {
    const std::vector<float> exact =
        run_in_integers(one.graph, one.inputs, PairSums::Exact)[0].to_floats();
    EXPECT_EQ(best(exact), best(one.stored));
    for (const char* engine : {"ref", "cpu", "host"})
      EXPECT_EQ(executor(engine).run(one.graph, one.inputs)[0].to_floats(), exact) << engine;
  }
}

}  // namespace
}  // namespace dlaexec::test
