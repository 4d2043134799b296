// What flags do, seen from outside: the built program on small networks. flag_proofs.def says which
// test stands for which flag.
#include <cmath>

#include "ir/npy.h"
#include "ir/text.h"
#include "plan/file.h"
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
  EXPECT_THAT(
      pass("--onnx=small.onnx --layerOutputTypes=conv2:fp32 --skipInference" + std::string(kOnDla))
          .err,
      HasSubstr("the DLA delivers what it computes in"));
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

class Inferring : public ProgramTest {
 protected:
  /// The values of the only output.
  std::vector<float> outputs_of(const std::string& flags) {
    pass(flags + kBrief + " --exportOutput=o.json");
    return json("o.json")[0]["values"].get<std::vector<float>>();
  }
  /// Queries that were timed, and when they began.
  Json times_of(const std::string& flags) {
    pass(flags + " --exportTimes=t.json");
    return json("t.json");
  }
};

TEST_F(Inferring, InputsComeFromFilesOrFromASeed) {
  const std::vector<float> first = outputs_of("--onnx=small.onnx --seed=1");
  EXPECT_EQ(outputs_of("--onnx=small.onnx"), first);
  EXPECT_NE(outputs_of("--onnx=small.onnx --seed=2"), first);
  put("zeros.raw", std::string(3 * 16 * 16 * 4, '\0'));
  const std::vector<float> bias(10, 0.25f);
  EXPECT_EQ(outputs_of("--onnx=small.onnx --loadInputs=image:zeros.raw"), bias);
  put("short.raw", "few");
  const test::Outcome outcome = run("--onnx=small.onnx --loadInputs=image:short.raw");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("short.raw"));
  EXPECT_EQ(run("--onnx=small.onnx --loadInputs=picture:zeros.raw").status, 1);
}

TEST_F(Inferring, RawBindingsAreTheBytesOfInputsAndOutputs) {
  pass("--onnx=small.onnx --dumpRawBindingsToFile" + std::string(kBrief));
  EXPECT_EQ(get("image.input.1.3.16.16.Float.raw").size(), 3u * 16 * 16 * 4);
  EXPECT_EQ(get("scores.output.1.10.Float.raw").size(), 40u);
  const std::vector<float> again =
      outputs_of("--onnx=small.onnx --loadInputs=image:image.input.1.3.16.16.Float.raw");
  const std::string raw = get("scores.output.1.10.Float.raw");
  for (size_t i = 0; i < again.size(); ++i)
    EXPECT_EQ(again[i], reinterpret_cast<const float*>(raw.data())[i]);
}

TEST_F(Inferring, IterationsAndDurationAreLeastAmounts) {
  const std::string flags = "--onnx=all_on_dla.onnx" + std::string(kOnDla);
  EXPECT_EQ(times_of(flags + " --iterations=7 --duration=0 --warmUp=0").size(), 7u);
  const Json timed = times_of(flags + " --iterations=1 --duration=0.05 --warmUp=10");
  EXPECT_GE(timed.front()["startComputeMs"], 10);
  EXPECT_GE(timed.back()["startComputeMs"], 59);
  EXPECT_EQ(run("--onnx=small.onnx --duration=-2").status, 2);
}

TEST_F(Inferring, IdleTimeSpacesQueriesAndExposedTransfersSerializeThem) {
  const Json times = times_of(
      "--onnx=all_on_dla.onnx --idleTime=500 --exposeDMA --iterations=3 --duration=0 "
      "--warmUp=0" +
      std::string(kOnDla));
  ASSERT_EQ(times.size(), 3u);
  for (size_t i = 1; i < times.size(); ++i)
    EXPECT_GE(times[i]["startComputeMs"].get<double>(),
              times[i - 1]["endComputeMs"].get<double>() + 500);
}

TEST_F(Inferring, SleepTimeDelaysTheStart) {
  const auto start = std::chrono::steady_clock::now();
  pass("--onnx=small.onnx --sleepTime=300" + std::string(kBrief));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(300));
}

TEST_F(Inferring, StreamsRunSideBySide) {
  const std::string flags = "--onnx=all_on_dla.onnx" + std::string(kOnDla) + kBrief;
  EXPECT_EQ(times_of(flags + " --infStreams=3").size(), 60u);
  EXPECT_THAT(pass(flags + " --infStreams=2").err, HasSubstr("* Multiple inference streams"));
}

TEST_F(Inferring, EnginesBesideQueueOnTheCore) {
  pass("--onnx=all_on_dla.onnx --saveEngine=beside.plan --skipInference" + std::string(kOnDla));
  // Predicted: all times are the model's, so that they are the same in every run.
  const std::string flags = "--loadEngine=beside.plan --predict" + std::string(kBrief);
  const auto latency = [&](const std::string& more) {
    const Json times = times_of(flags + more);
    return times.back()["computeMs"].get<double>();
  };
  const double alone = latency("");
  const double beside_one = latency(" --besideEngine=beside.plan");
  EXPECT_GT(beside_one, 1.3 * alone);
  EXPECT_GT(latency(" --besideEngine=beside.plan,beside.plan"), 1.2 * beside_one);
  EXPECT_LT(latency(" --besideEngine=beside.plan --dlaCores=2"), beside_one);
  EXPECT_THAT(pass(flags + " --besideEngine=beside.plan").out,
              HasSubstr("Beside it beside.plan ran"));
}

TEST_F(Inferring, EnginesBesideNeedADla) {
  const test::Outcome outcome = run("--onnx=small.onnx --besideEngine=small.plan");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("this engine has none; build it "));
}

TEST_F(Inferring, DlaIsReplayedEmulatedOrTimedAlone) {
  const std::string flags = "--onnx=all_on_dla.onnx" + std::string(kOnDla);
  const std::vector<float> replayed = outputs_of(flags);
  EXPECT_EQ(outputs_of(flags + " --noDlaReplay"), replayed);
  const std::vector<float> zeros = outputs_of(flags + " --dlaTimingOnly");
  EXPECT_EQ(zeros, std::vector<float>(replayed.size(), 0));
}

TEST_F(Inferring, WallTimeAndStabilityEndMeasuring) {
  const test::Outcome slow = pass("--onnx=small.onnx --duration=1000 --maxWallTime=0.2 --warmUp=0");
  EXPECT_THAT(slow.err, HasSubstr("(--maxWallTime)"));
  const std::string flags = "--onnx=all_on_dla.onnx --warmUp=0" + std::string(kOnDla);
  EXPECT_LT(times_of(flags + " --untilStable=50").size(), 2000u);
}

TEST_F(Inferring, PercentilesAndAveragesAreThoseAskedFor) {
  const std::string out =
      pass("--onnx=small.onnx --percentile=50,99.9 --avgRuns=5" + std::string(kBrief)).out;
  EXPECT_THAT(out, HasSubstr("percentile(50%) = "));
  EXPECT_THAT(out, HasSubstr("percentile(99.9%) = "));
  EXPECT_THAT(out, Not(HasSubstr("percentile(90%)")));
  EXPECT_THAT(out, HasSubstr("Average on 5 runs"));
  const test::Outcome wrong = run("--onnx=small.onnx --percentile=101");
  EXPECT_EQ(wrong.status, 2);
}

TEST_F(Inferring, SamplesAreANumpyArray) {
  pass("--onnx=small.onnx --exportSamples=s.npy" + std::string(kBrief));
  EXPECT_THAT(get("s.npy").substr(0, 128), HasSubstr("'shape': (20, )"));
}

TEST_F(Inferring, DeserializationIsTimedAlone) {
  pass("--onnx=small.onnx --skipInference --saveEngine=m.plan");
  const test::Outcome outcome = run("--loadEngine=m.plan --timeDeserialize");
  EXPECT_THAT(outcome.out, HasSubstr("Begin deserialization engine timing..."));
  EXPECT_THAT(outcome.out, HasSubstr("Total deserialization time = "));
  EXPECT_THAT(outcome.out, Not(HasSubstr("Starting inference")));
}

TEST_F(Inferring, DeviceCpuIsTheHostEngine) {
  EXPECT_THAT(pass("--onnx=small.onnx --device=cpu" + std::string(kBrief)).out,
              HasSubstr("Selected Device: host engine"));
}

TEST_F(Inferring, MetadataFilesHoldWhatTheConsoleShows) {
  pass("--onnx=small.onnx --exportBuildMetadata=b.json --exportProfileMetadata=p.json" +
       std::string(kBrief));
  const Json built = json("b.json"), profiled = json("p.json");
  EXPECT_EQ(built["model_options"]["Format"], "ONNX");
  EXPECT_EQ(built["build_options"]["Precision"], "FP32");
  EXPECT_TRUE(built["device_information"].contains("Selected Device"));
  EXPECT_TRUE(profiled["performance_summary"]["Throughput"].is_number());
  EXPECT_EQ(profiled["performance_summary"]["Latency"].size(), 7u);
  EXPECT_EQ(profiled["inference_options"]["Iterations"], "20");
}

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

/// A PNG of 4 by 4 pixels of one colour.
const std::string kPicture(
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\4\0\0\0\4\b\2\0\0\0\x26\x93\t\x29\0\0\0\x10IDAT"
    "\x78\xda\x63\x70\x68\x38\0G\f\xc4q\0hR\x18\1\x86,\x9a\xf2\0\0\0\0IEND\xae\x42\x60\x82",
    73);

class Calibrating : public ProgramTest {
 protected:
  Calibrating() {
    std::filesystem::create_directory(path("samples"));
    for (int i = 0; i < 4; ++i)
      put("samples/" + std::to_string(i) + ".npy",
          ir::write_npy(ir::seeded(ir::DataType::Float32, {1, 3, 16, 16}, 7)));
    put("picture.png", kPicture);
  }
  std::string cache_of(const std::string& flags) {
    pass("--onnx=small.onnx --int8 --skipInference --saveCalib=out.cache " + flags);
    return get("out.cache");
  }
};

TEST_F(Calibrating, PercentileAndPreprocessingChangeRanges) {
  const std::string by_percentile = "--calibData=samples --calibAlgorithm=percentile";
  EXPECT_NE(cache_of(by_percentile + " --calibPercentile=50"),
            cache_of(by_percentile + " --calibPercentile=100"));
  const std::string picture = "--calibData=picture.png --calibAlgorithm=minmax";
  EXPECT_NE(cache_of(picture + " --calibPreprocess=scale:1"),
            cache_of(picture + " --calibPreprocess=scale:0.5"));
}

TEST_F(Calibrating, SamplesGoThroughTogetherOrOneByOne) {
  const std::string flags = "--onnx=dynamic.onnx --int8 --skipInference --calibData=samples ";
  pass(flags + "--saveCalib=one.cache --calibAlgorithm=minmax");
  const test::Outcome fixed =
      pass("--onnx=small.onnx --int8 --skipInference --calibData=samples --calibBatchSize=3");
  EXPECT_THAT(fixed.out + fixed.err, HasSubstr("built for a batch of 1"));
  const test::Outcome few = pass(
      "--onnx=small.onnx --fp16 --skipInference --compareTo=ref --compareData=samples "
      "--compareSamples=2");
  EXPECT_THAT(few.out, HasSubstr("2 samples"));
}

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

}  // namespace
}  // namespace dlaexec::cli
