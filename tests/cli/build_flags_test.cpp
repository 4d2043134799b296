// What flags of the build do, seen from outside: the built program on small networks.
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class Build : public ProgramTest {
 protected:
  std::string inspect(const std::string& flags) {
    pass(flags + " --skipInference --saveEngine=m.plan");
    return pass("--inspect=m.plan").out;
  }
};

TEST_F(Build, BestAllowsBothPrecisions) {
  const std::string listing = inspect("--onnx=small.onnx --best");
  EXPECT_THAT(listing, HasSubstr("fp16 = on"));
  EXPECT_THAT(listing, HasSubstr("int8 = on"));
}

TEST_F(Build, PrecisionsOfLayersHoldWhenTheyAreObeyed) {
  const std::string flags =
      "--onnx=small.onnx --fp16 --int8 --layerPrecisions=conv1:fp32,conv2:fp16";
  const std::string obeyed = inspect(flags + " --precisionConstraints=obey");
  EXPECT_THAT(obeyed, HasSubstr("conv1 (CONVOLUTION) on gpu in f32"));
  EXPECT_THAT(obeyed, HasSubstr("conv2 (CONVOLUTION) on gpu in f16"));
  EXPECT_THAT(inspect(flags), HasSubstr("conv1 (CONVOLUTION) on gpu in i8"));
}

TEST_F(Build, OutputTypesOfLayersHold) {
  const std::string flags = "--onnx=small.onnx --fp16 --precisionConstraints=obey";
  const std::string listing = inspect(flags + " --layerOutputTypes=conv1:fp32,pool2:fp32");
  EXPECT_THAT(listing, HasSubstr("conv1 -> c1: f32"));
  EXPECT_THAT(listing, HasSubstr("pool2 -> g: f32"));
  EXPECT_THAT(listing, HasSubstr("-> r1: f16"));
  pass("--loadEngine=m.plan" + std::string(kBrief));
  EXPECT_THAT(inspect("--onnx=small.onnx --fp16 --layerOutputTypes=pool2:fp32"),
              HasSubstr("pool2 -> g: f16"));  // nothing is constrained
  EXPECT_EQ(run(flags + " --layerOutputTypes=conv1:fp32+fp16 --skipInference").status, 1);
  const std::string int8 = "--onnx=small.onnx --int8 --precisionConstraints=obey";
  EXPECT_THAT(inspect(int8 + " --layerOutputTypes=conv1:fp16"), HasSubstr("conv1 -> c1: f16"));
  EXPECT_THAT(run(flags + " --layerOutputTypes=conv1:int8 --skipInference").err,
              HasSubstr("cannot deliver int8 as --layerOutputTypes asks: the scale of its output"));
  EXPECT_THAT(pass(flags + " --layerOutputTypes=fc:fp16 --skipInference").err,
              HasSubstr("layer fc delivers fp32, not fp16: it is an output of the network"));
}

TEST_F(Build, OutputTypesOfDlaLayersAreMadeOnTheCore) {
  const std::string flags = "--onnx=small.onnx --int8 --layerOutputTypes=";
  const std::string listing = inspect(flags + "conv1:fp16" + kOnDla);
  EXPECT_THAT(listing, HasSubstr("Converting conv1 to fp16"));
  EXPECT_THAT(listing, Not(HasSubstr("loadable 2")));  // it stays in its segment
  pass("--loadEngine=m.plan" + std::string(kBrief));
  const std::string impossible = flags + "conv1:fp32 --skipInference" + kOnDla;
  EXPECT_THAT(pass(impossible).err, HasSubstr("layer conv1 delivers int8, not fp32: a DLA delivers "
                                              "fp16 or int8; give one of them, or "
                                              "--layerDeviceTypes=conv1:GPU"));
  const test::Outcome obeyed = run(impossible + " --precisionConstraints=obey");
  EXPECT_EQ(obeyed.status, 1);
  EXPECT_THAT(obeyed.err,
              HasSubstr("layer 'conv1' cannot deliver fp32 as --layerOutputTypes asks"));
  EXPECT_THAT(pass(flags + "*:fp32 --skipInference" + kOnDla).err, Not(HasSubstr("delivers")));
}

TEST_F(Build, DevicesOfLayersHold) {
  EXPECT_THAT(inspect("--onnx=small.onnx --layerDeviceTypes=conv2:GPU" + std::string(kOnDla)),
              HasSubstr("conv2 (CONVOLUTION) on gpu"));
}

TEST_F(Build, DirectIoLeavesNoReformatAtTheEdges) {
  const std::string formats =
      "--onnx=all_on_dla.onnx --inputIOFormats=fp16:chw16 --outputIOFormats=fp16:chw16";
  EXPECT_THAT(inspect(formats + " --directIO" + kOnDla), Not(HasSubstr("REFORMAT")));
  EXPECT_EQ(run("--onnx=all_on_dla.onnx --directIO --skipInference" + std::string(kOnDla)).status,
            1);
}

TEST_F(Build, CalibrationCacheGivesTheScales) {
  put("c.cache",
      "TRT-8601-EntropyCalibration2\nimage: 3c010204\nc1: 3caa4a57\nr1: 3caa4a57\np1: 3caa4a57\n"
      "c2: 3caa4a57\nr2: 3caa4a57\ng: 3caa4a57\nf: 3caa4a57\nscores: 3caa4a57\n");
  const test::Outcome with = pass("--onnx=small.onnx --int8 --calib=c.cache --skipInference");
  EXPECT_THAT(with.err, Not(HasSubstr("fixed ranges")));
  const test::Outcome without = pass("--onnx=small.onnx --int8 --skipInference");
  EXPECT_THAT(without.err, HasSubstr("fixed ranges"));
}

TEST_F(Build, SafeOnADlaIsAStandaloneLoadable) {
  const std::string flags =
      "--onnx=all_on_dla.onnx --useDLACore=0 --fp16 --inputIOFormats=fp16:dla_linear "
      "--outputIOFormats=fp16:dla_linear";
  pass(flags + " --safe --saveEngine=a.bin");
  pass(flags + " --buildDLAStandalone --saveEngine=b.bin");
  EXPECT_EQ(get("a.bin"), get("b.bin"));
  EXPECT_EQ(run("--onnx=small.onnx --safe").status, 2);
}

TEST_F(Build, AdjustingPutsMoreOnTheDla) {
  const std::string flags = "--onnx=small.onnx" + std::string(kOnDla);
  EXPECT_THAT(inspect(flags), HasSubstr("pool2 (REDUCE) on gpu"));
  EXPECT_THAT(inspect(flags + " --adjustForDLA"), Not(HasSubstr("pool2 (REDUCE) on gpu")));
}

TEST_F(Build, PlatformModeAndRulesAreThoseAskedFor) {
  const std::string flags = "--onnx=small.onnx" + std::string(kOnDla);
  EXPECT_THAT(inspect(flags + " --platform=agx-xavier"), HasSubstr("platform: agx-xavier"));
  EXPECT_EQ(run(flags + " --platform=nowhere").status, 2);
  const std::string modes = pass("--listPlatforms").out;
  EXPECT_THAT(modes, HasSubstr("agx-orin-64"));
  EXPECT_THAT(inspect(flags + " --powerMode=30W"), HasSubstr("agx-orin-64 30W"));
  EXPECT_THAT(inspect(flags + " --dlaRules=8.5"), HasSubstr("dlaRules = 8.5"));
}

TEST_F(Build, GraphsOfStagesAreListedAndPrinted) {
  const std::string stages = pass("--onnx=small.onnx --dumpGraph=all").out;
  EXPECT_THAT(stages, HasSubstr("import\n"));
  const std::string graph = pass("--onnx=small.onnx --dumpGraph=import").out;
  EXPECT_THAT(graph, HasSubstr("graph @"));
  EXPECT_EQ(run("--onnx=small.onnx --dumpGraph=nowhere").status, 2);
}

TEST_F(Build, ExplanationsNeedNoBuild) {
  pass("--onnx=small.onnx --explain=why.json --skipBuild" + std::string(kOnDla));
  EXPECT_FALSE(json("why.json").empty());
  EXPECT_THAT(pass("--onnx=small.onnx --explain --skipBuild" + std::string(kOnDla)).out,
              HasSubstr("pool2"));
}

TEST_F(Build, AFinishedPlanNamesTheFlagsThatComeTooLate) {
  pass("--onnx=small.onnx --skipInference --saveEngine=m.plan");
  const std::string flags = "--loadEngine=m.plan --onnx=small.onnx --fp16" + std::string(kBrief);
  EXPECT_THAT(pass(flags).err,
              HasSubstr("--onnx, --fp16 have no effect: --loadEngine runs a plan"));
  EXPECT_THAT(pass("--loadEngine=m.plan" + std::string(kBrief)).err, Not(HasSubstr("no effect")));
  EXPECT_THAT(pass(flags + " --compareTo=ref").err, Not(HasSubstr("no effect")));
}

TEST_F(Build, SubgraphOrderDecidesWhoStaysOnACoreOfSixteen) {
  put("many.onnx", eighteen_segments().bytes());
  const std::string flags = "--onnx=many.onnx --skipInference" + std::string(kOnDla);
  const std::string last = "[DlaLayer] {ForeignNode[last]}";
  EXPECT_THAT(pass(flags).out, HasSubstr(last));  // the heaviest saves most
  EXPECT_THAT(pass(flags + " --dlaSubgraphOrder=network").out, Not(HasSubstr(last)));
  EXPECT_EQ(run("--onnx=small.onnx --dlaSubgraphOrder=odd").status, 2);
}

TEST_F(Build, ReleaseElevenTakesTypesOfEdgesFromTheModel) {
  const std::string flags = "--onnx=small.onnx --skipInference --saveEngine=m.plan --compat=11.1";
  pass(flags + " --inputIOFormats=chw4");
  EXPECT_THAT(pass("--inspect=m.plan").out, HasSubstr("inputIOFormats = fp32:chw4"));
  EXPECT_EQ(run(flags + " --inputIOFormats=fp16:chw4").status, 2);
}

TEST_F(Build, AReasonThatMeetsManyLayersIsToldOnceWithAdvice) {
  const std::string flags =
      "--onnx=dynamic.onnx --minShapes=image:1x3x16x16 --optShapes=image:2x3x16x16 "
      "--maxShapes=image:4x3x16x16 --skipInference" +
      std::string(kOnDla);
  const std::string quiet = pass(flags).err;
  EXPECT_THAT(quiet, HasSubstr("more layers break [general.static-shape] as well"));
  EXPECT_THAT(quiet, HasSubstr("to do: fix the shape: --shapes"));
  EXPECT_THAT(quiet, Not(HasSubstr("Layer 'fc'")));
  EXPECT_THAT(pass(flags + " --verbose").out,
              HasSubstr("Layer 'fc' (FULLY_CONNECTED): Unsupported"));
}

TEST_F(Build, VerbosityDecidesWhatThePlanTells) {
  inspect("--onnx=small.onnx --profilingVerbosity=none");
  EXPECT_THAT(pass("--loadEngine=m.plan --dumpLayerInfo" + std::string(kBrief)).out,
              HasSubstr("tells nothing of its layers"));
  inspect("--onnx=small.onnx");
  pass("--loadEngine=m.plan --exportLayerInfo=l.json" + std::string(kBrief));
  EXPECT_TRUE(json("l.json")["Layers"][0].is_string());
}

TEST_F(Build, ForcedSparsityZeroesTwoOfFourWeights) {
  const test::Outcome dense = pass("--onnx=small.onnx --skipInference --sparsity=enable");
  EXPECT_THAT(dense.out, HasSubstr("0 of 3 layers have 2:4 sparse weights"));
  const test::Outcome forced = pass("--onnx=small.onnx --skipInference --sparsity=force");
  EXPECT_THAT(forced.out, HasSubstr("2 of 3 layers have 2:4 sparse weights"));
  EXPECT_THAT(forced.err, HasSubstr("the outputs mean nothing"));
}

}  // namespace
}  // namespace dlaexec::cli
