// The emulated DLA core, through a whole build, save, load and run: where its rules admit a case,
// FP16 must give what the definition gives.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "base/format.h"
#include "conformance/difference.h"
#include "conformance/exclusions.h"
#include "conformance/op_cases.h"
#include "onnx/import.h"
#include "support/golden.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

/// Relative L2 that FP16 with one rounding an operation stays below.
constexpr double kFp16Tolerance = 0.01;

std::string difference_in_fp16(const ir::Tensor& found, const ir::Tensor& wanted) {
  const double error = relative_l2(found, wanted);
  return error <= kFp16Tolerance ? "" : format("relative L2 {:.3g}", error);
}

/// A line a layer: where it went, and every rule that kept it off the DLA.
std::string placement_text(const plan::Plan& plan) {
  std::string lines;
  for (const plan::Layer& layer : plan.metadata.layers) {
    lines += format("  {} {}", layer.type, ir::text(layer.device));
    for (const ir::Finding& finding : layer.findings) lines += format(" {}", finding.rule);
    lines += "\n";
  }
  return lines;
}

TEST(OnTheEmulatedCore, EachOpCaseGoesWhereTheRulesSay) {
  std::string lines;
  for (const OpCase& test : op_cases()) {
    const ir::Graph graph = graph_of(test, "f32");
    lines +=
        format("{}\n{}", test.name, placement_text(plan_for_dla(graph, seeded_inputs_of(graph))));
  }
  expect_golden("conformance/dla-placement.txt", lines);
}

TEST(OnTheEmulatedCore, EachOpCaseGivesWhatTheDefinitionGives) {
  int emulated = 0;
  for (const std::string type : {"f32", "f16"})
    for (const OpCase& test : op_cases()) {
      const ir::Graph graph = graph_of(test, type);
      const Tensors inputs = seeded_inputs_of(graph);
      try {
        const ir::Tensor found = executor("dla").run(graph, inputs).at(0);
        const ir::Tensor wanted = executor("ref").run(graph, inputs).at(0);
        ASSERT_EQ(found.dims(), wanted.dims()) << test.name;
        EXPECT_LE(relative_l2(found, wanted), kFp16Tolerance) << test.name << " of " << type;
        ++emulated;
      } catch (const NotForTheDla&) {
      }
    }
  EXPECT_GT(emulated, 0) << "the core took no case: this tests nothing";
}

/// The cases of the ONNX backend suite whose layers the core takes, at least one of them.
TEST(OnTheEmulatedCore, BackendCasesThatTheRulesAdmitPass) {
  const auto* suite = backend_suite();
  if (suite == nullptr) GTEST_SKIP() << kNoShared;
  int eligible = 0;
  int emulated = 0;
  std::map<const Exclusion*, bool> excludes;  // whether the row excludes a case that fails
  for (const BackendCase& test : *suite) {
    if (!test.is_eligible()) continue;
    ++eligible;
    const std::string failure = failure_of(test, executor("dla"), difference_in_fp16);
    if (failure == NotForTheDla().what()) continue;
    if (const Exclusion* exclusion = exclusion_of(test, "dla")) {
      excludes[exclusion] |= !failure.empty();
      continue;
    }
    ++emulated;
    EXPECT_EQ(failure, "") << test.suite << "/" << test.name;
  }
  for (const Exclusion& exclusion : exclusions())
    if (exclusion.executor == "dla") {
      EXPECT_TRUE(excludes[&exclusion]) << "the exclusion of " << exclusion.name << " is stale";
    }
  std::cout << format(
      "dla: {} of {} eligible ONNX backend cases have a layer on the DLA and pass\n", emulated,
      eligible);
  EXPECT_GT(emulated, 0) << "the core took no case: this tests nothing";
}

}  // namespace
}  // namespace dlaexec::test
