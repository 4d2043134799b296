// The op cases in every floating type: each executor against the definition, without data from
// outside.
#include <gtest/gtest.h>

#include <cmath>

#include "conformance/op_cases.h"

namespace dlaexec::test {
namespace {

/// One unit in the last place of the type at the size of the largest element, and float's noise.
double tolerance(ir::DataType type, double largest) {
  const double step = type == ir::DataType::Float32   ? 0x1p-18
                      : type == ir::DataType::Float16 ? 0x1p-10
                                                      : 0x1p-7;
  return step * std::max(largest, 0x1p-4);
}

using Parameter = std::tuple<const char*, const char*>;

class OpCases : public testing::TestWithParam<Parameter> {};

TEST_P(OpCases, GiveWhatTheDefinitionGives) {
  const auto [engine, type] = GetParam();
  for (const OpCase& test : op_cases()) {
    const ir::Graph graph = graph_of(test, type);
    const Tensors inputs = seeded_inputs_of(graph);
    const ir::Tensor wanted = executor("ref").run(graph, inputs).at(0);
    const ir::Tensor found = executor(engine).run(graph, inputs).at(0);
    ASSERT_EQ(found.dims(), wanted.dims()) << test.name;
    ASSERT_EQ(found.type(), wanted.type()) << test.name;
    EXPECT_EQ(ir::shape_of(wanted.dims()), graph.value(graph.outputs[0]).shape) << test.name;
    const std::vector<float> a = found.to_floats();
    const std::vector<float> b = wanted.to_floats();
    double largest = 0;
    double error = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(b[i])));
      error = std::max(error, std::abs(static_cast<double>(a[i]) - b[i]));
    }
    EXPECT_GT(largest, 0) << test.name << " has an output of zeros: it tests nothing";
    EXPECT_LE(error, tolerance(wanted.type(), largest)) << test.name;
  }
}

INSTANTIATE_TEST_SUITE_P(On, OpCases,
                         testing::Combine(testing::Values("cpu", "plan"),
                                          testing::Values("f32", "f16", "bf16")),
                         [](const auto& parameter) {
                           return std::string(std::get<0>(parameter.param)) + "_" +
                                  std::get<1>(parameter.param);
                         });

}  // namespace
}  // namespace dlaexec::test
