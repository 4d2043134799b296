#include "tune/problems.h"

#include <gmock/gmock.h>

#include "ir/text.h"

namespace dlaexec::tune {
namespace {

using testing::ElementsAre;

/// What the cost model's favourite and a library's kernel cost beyond their times on @p
/// architecture.
std::vector<double> surcharges(const std::string& architecture) {
  const ir::Graph graph = ir::parse(
      "graph @g(%x: f16[1,32,8,8]) {\n  const %w = f16[32,8,3,3] seed(1)\n  %y = conv(%x, %w) "
      "{stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=4} : f16[1,32,8,8]\n  return %y\n}");
  const gpu::Target target = gpu::target_of(architecture);
  const gpu::Choice choice = gpu::lower(graph, target).choices.at(0);
  const Problem problem{&graph, choice.problem, {choice.tactics[0], "cudnn 91900 w0 e10 2:7"}, {0}};
  std::vector<double> found;
  for (const Candidate& candidate : candidates_of(problem, target, "a device", {}, {}))
    found.push_back(candidate.surcharge);
  return found;
}

TEST(CandidatesOf, ALibrarysLaunchCostsMoreWhereLaunchesOverlap) {
  EXPECT_THAT(surcharges("sm_90a"), ElementsAre(0, 1.5));
  EXPECT_THAT(surcharges("sm_87"), ElementsAre(0, 0));
}

}  // namespace
}  // namespace dlaexec::tune
