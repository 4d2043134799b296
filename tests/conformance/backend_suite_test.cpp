#include "conformance/backend_suite.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "base/format.h"
#include "conformance/exclusions.h"
#include "onnx/import.h"
#include "onnx/operators.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

/// The least part of the eligible cases that must pass.
constexpr double kLeastPassing = 0.97;

class OnnxBackend : public testing::TestWithParam<std::string> {};

TEST_P(OnnxBackend, EveryEligibleCasePassesUnlessATableSaysWhyNot) {
  const auto* suite = backend_suite();
  if (suite == nullptr) GTEST_SKIP() << kNoShared;
  const Executor& on = executor(GetParam());
  int eligible = 0;
  int passed = 0;
  std::string failures;
  std::map<const Exclusion*, bool> excludes;  // whether the row excludes a case that fails
  for (const BackendCase& test : *suite) {
    if (!test.is_eligible()) continue;
    ++eligible;
    const std::string failure = failure_of(test, on);
    passed += failure.empty();
    const Exclusion* exclusion = exclusion_of(test, on.name);
    if (exclusion != nullptr) excludes[exclusion] |= !failure.empty();
    if (!failure.empty() && exclusion == nullptr)
      failures += format("{}/{}: {}\n", test.suite, test.name, failure);
  }
  std::cout << format("{}: {} of {} eligible ONNX backend cases pass ({:.1f} %), of {} in all\n",
                      on.name, passed, eligible, 100.0 * passed / eligible, suite->size());
  EXPECT_EQ(failures, "");
  EXPECT_GE(passed, kLeastPassing * eligible);
  for (const Exclusion& exclusion : exclusions())
    if (exclusion.executor == "*" || exclusion.executor == on.name) {
      EXPECT_TRUE(excludes[&exclusion]) << "the exclusion of " << exclusion.name << " is stale";
    }
}

/// What the table of operators says of the graph is so: of an operator's cases, one at least has
/// it.
TEST(OnnxBackendTable, OperatorsBecomeTheOpsThatTheTableNames) {
  const auto* suite = backend_suite();
  if (suite == nullptr) GTEST_SKIP() << kNoShared;
  std::map<std::string, std::pair<bool, std::set<std::string>>> found;  // by operator
  for (const BackendCase& test : *suite) {
    if (!test.is_eligible() || test.ops.size() != 1 || exclusion_of(test, "ref") != nullptr)
      continue;
    const auto* row = onnx::find_operator("", test.ops[0], test.opset);
    if (row == nullptr) continue;
    auto& [is_there, others] = found[test.ops[0]];
    const ir::Graph graph = onnx::import_file(test.folder + "/model.onnx").graph;
    is_there |= graph.nodes.empty();  // a constant
    for (const ir::Node& node : graph.nodes) {
      is_there |= node.op == row->op;
      others.insert(std::string(ir::info(node.op).text));
    }
  }
  EXPECT_GT(found.size(), 100u);
  for (const auto& [name, ops] : found)
    EXPECT_TRUE(ops.first) << name << " becomes "
                           << join(std::vector<std::string>(ops.second.begin(), ops.second.end()),
                                   ", ");
}

/// The suite's large networks carry constant weights and take arange(n) / n.
TEST_P(OnnxBackend, TheLightNetworksGiveTheirStoredOutputs) {
  const auto* suite = backend_suite();
  if (suite == nullptr) GTEST_SKIP() << kNoShared;
  const std::string folder = suite->front().folder + "/../../light/";
  for (const std::string name : {"squeezenet", "inception_v1", "shufflenet", "densenet121"}) {
    const ir::Graph graph = onnx::import_file(folder + "light_" + name + ".onnx").graph;
    const ir::Dims dims = ir::dims_of(graph.value(graph.inputs.at(0)).shape);
    std::vector<float> x(static_cast<size_t>(ir::volume(dims)));
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i) / static_cast<float>(x.size());
    const Tensors found = executor(GetParam()).run(graph, {ir::Tensor::of<float>(dims, x)});
    EXPECT_EQ(difference(found.at(0), read_tensor(folder + "light_" + name + "_output_0.pb")), "")
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(On, OnnxBackend, testing::Values("ref", "cpu", "plan"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace dlaexec::test
