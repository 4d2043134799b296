// What flags of measuring do, seen from outside: the built program on small networks.
#include <chrono>

#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

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

}  // namespace
}  // namespace dlaexec::cli
