// Outputs beside references: --loadRefOutputs and what decides over it.
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

class References : public ProgramTest {
 protected:
  References() {
    pass("--onnx=small.onnx --saveEngine=m.plan --dumpRawBindingsToFile" + std::string(kBrief));
    put("good.raw", get("scores.output.1.10.Float.raw"));
    put("zeros.raw", std::string(40, '\0'));
  }
  const std::string run_ = "--loadEngine=m.plan" + std::string(kBrief);
};

TEST_F(References, EqualOutputsPassAndOthersFail) {
  const test::Outcome good =
      pass(run_ + " --loadRefOutputs=scores:good.raw --accuracyThreshold=0.01");
  EXPECT_THAT(good.out, HasSubstr("Accuracy loss for tensor scores (L0): 0 [PASS: < threshold"));
  const std::string bad = run_ + " --loadRefOutputs=scores:zeros.raw --accuracyThreshold=0.01";
  const test::Outcome failed = run(bad);
  EXPECT_EQ(failed.status, 3);
  EXPECT_THAT(failed.out, HasSubstr("(L0): 1 [FAIL: >= threshold 0.01]"));
  EXPECT_THAT(failed.err, HasSubstr("Accuracy validation FAILED"));
  EXPECT_EQ(run(bad + " --exitCodes=trtexec").status, 1);
}

TEST_F(References, AlgorithmAndTolerancesDecideTheLoss) {
  const std::string zeros = run_ + " --loadRefOutputs=scores:zeros.raw --accuracyThreshold=0.01";
  EXPECT_EQ(run(zeros + " --atol=1e6").status, 0);
  EXPECT_EQ(run(zeros + " --rtol=1e6").status, 3);
  EXPECT_THAT(run(zeros + " --accuracyAlgorithm=lInf").out, HasSubstr("(LINF): "));
  EXPECT_EQ(run(zeros + " --accuracyAlgorithm=l1 --atol=1").status, 2);
}

TEST_F(References, PairsAreRunOneAfterTheOther) {
  put("in.raw", get("image.input.1.3.16.16.Float.raw"));
  put("zero_in.raw", std::string(3 * 16 * 16 * 4, '\0'));
  const std::string first =
      " --refPair=0 --loadInputs=image:in.raw --loadRefOutputs=scores:good.raw";
  const std::string second =
      " --refPair=1 --loadInputs=image:zero_in.raw --loadRefOutputs=scores:good.raw";
  const test::Outcome outcome = run(run_ + first + second + " --accuracyThreshold=0.01");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.out, HasSubstr("(L0): 0 [PASS"));
  EXPECT_THAT(outcome.out, HasSubstr("(L0): 1 [FAIL"));
  EXPECT_EQ(run(run_ + first + " --accuracyThreshold=0.01").status, 2);
}

TEST_F(References, ContradictionsAreUsageErrors) {
  const std::string reference = " --loadRefOutputs=scores:good.raw";
  EXPECT_EQ(run(run_ + reference).status, 2);
  EXPECT_EQ(run(run_ + reference + " --accuracyThreshold=1 --skipInference").status, 2);
  EXPECT_EQ(run(run_ + " --loadRefOutputs=other:good.raw --accuracyThreshold=1").status, 1);
  EXPECT_EQ(run(run_ + " --loadRefOutputs=scores:none.raw --accuracyThreshold=1").status, 1);
}

}  // namespace
}  // namespace dlaexec::cli
