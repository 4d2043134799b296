// Questions that are answered without a run, and gates on what a build says.
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

class Answers : public ProgramTest {};

TEST_F(Answers, JsonIsAllThatStandsOnStandardOutput) {
  pass("--onnx=small.onnx --skipInference --saveEngine=m.plan");
  for (const char* question :
       {"--inspect=m.plan", "--version", "--listPlatforms", "--listDlaRules", "--help"})
    EXPECT_FALSE(Json::parse(pass(question + std::string(" --json")).out).empty()) << question;
  EXPECT_FALSE(Json::parse(pass("--listDlaRules=json").out).empty());
}

TEST_F(Answers, TextsForOtherProgramsArePrinted) {
  EXPECT_THAT(pass("--completion=bash").out, HasSubstr("complete -F _dlaexec dlaexec"));
  EXPECT_THAT(pass("--manPage").out, HasSubstr(".SH NAME"));
  EXPECT_THAT(pass("--help=dla").out, HasSubstr("--useDLACore=N"));
  put("c.json", R"({"flags": {"fp16": true}})");
  const Json dumped = Json::parse(pass("--config=c.json --iterations=5 --dumpConfig=-").out);
  EXPECT_EQ(dumped["flags"]["fp16"], true);
  EXPECT_EQ(dumped["flags"]["iterations"], "5");
}

TEST_F(Answers, GatesEndWithTheirStatusAndAJUnitFile) {
  const std::string flags = "--onnx=small.onnx --skipInference" + std::string(kOnDla);
  EXPECT_EQ(run(flags + " --maxGpuLayers=1 --exportJUnit=j.xml").status, 3);
  EXPECT_THAT(get("j.xml"), HasSubstr("<failure"));
  EXPECT_EQ(run(flags + " --maxGpuLayers=2 --requireDLA=conv*").status, 0);
  EXPECT_EQ(run(flags + " --maxGpuLayers=1 --inconclusive=pass --exitCodes=trtexec").status, 1);
}

TEST_F(Answers, GatesThatWouldTestNothingAreRefused) {
  for (const char* flags : {"--maxRegression=5%", "--exportComparison=c.json",
                            "--maxLatency=", "--baseline=", "--abOptions=--fp16"}) {
    const test::Outcome outcome = run("--onnx=small.onnx " + std::string(flags) + kBrief);
    EXPECT_EQ(outcome.status, 2) << flags;
    EXPECT_THAT(outcome.err, HasSubstr("give")) << flags;
  }
}

}  // namespace
}  // namespace dlaexec::cli
