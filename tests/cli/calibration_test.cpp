// INT8 ranges from the command line, as the built program finds, keeps and judges them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "ir/npy.h"
#include "ir/text.h"
#include "networks.h"
#include "quant/cache.h"
#include "support/json_schema.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// A folder with small.onnx, six random samples for it and a manifest that gives each a label.
class CalibrationFlags : public testing::Test {
 protected:
  std::string folder_ = test::temporary_dir();

  void SetUp() override {
    write_file(folder_ + "/small.onnx", small_network().bytes());
    std::filesystem::create_directory(folder_ + "/samples");
    std::string manifest;
    for (int i = 0; i < 6; ++i) {
      const std::string file = format("samples/{}.npy", i);
      const auto seed = static_cast<uint64_t>(i);
      write_file(folder_ + "/" + file,
                 ir::write_npy(ir::seeded(ir::DataType::Float32, {1, 3, 16, 16}, seed)));
      manifest += format("{} {}\n", file, i % 3);
    }
    write_file(folder_ + "/manifest.txt", manifest);
  }

  test::Outcome run(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {DLAEXEC_PROGRAM, "--onnx=small.onnx", "--skipInference",
                                 "--device=cpu", "--exportSummary=summary.json"});
    return test::run_program(flags, folder_);
  }
  /// The summary of the last run, which fits the schema.
  json summary() {
    const json found = json::parse(read_file(folder_ + "/summary.json"));
    const json schema = json::parse(read_file(test::source_dir() + "/scripts/schema/summary.json"));
    EXPECT_EQ(test::violations(found, schema), std::vector<std::string>{});
    return found;
  }
};

TEST_F(CalibrationFlags, RangesComeFromDataAndAreKept) {
  const test::Outcome made = run({"--int8", "--calibData=samples", "--saveCalib=small.cache"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("on 6 samples of 'samples'"));
  EXPECT_EQ(summary()["quantization"]["ranges"], "calibrated");
  EXPECT_EQ(summary()["quantization"]["accuracy_is_meaningless"], false);
  const auto cache = quant::read_cache(folder_ + "/small.cache");
  EXPECT_EQ(cache.algorithm, "EntropyCalibration2");

  const test::Outcome again = run({"--int8", "--calib=small.cache", "--saveCalib=again.cache"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(summary()["quantization"]["ranges"], "given");
  EXPECT_EQ(read_file(folder_ + "/small.cache"), read_file(folder_ + "/again.cache"));
}

TEST_F(CalibrationFlags, ACacheHoldsTensorsThatOnlyTheModelHas) {
  test::OnnxModel model;
  model.add_input("image", {"1", "3", "16", "16"});
  model.add_initializer("w", {4, 3, 1, 1}, std::vector<float>(12, 0.5f));
  for (const char* name : {"scale", "bias", "mean", "variance"})
    model.add_initializer(name, {4}, {1, 2, 3, 4});
  model.add_node("Conv", {"image", "w"}, {"before"}, "conv");
  model.add_node("BatchNormalization", {"before", "scale", "bias", "mean", "variance"}, {"y"},
                 "bn");
  model.add_output("y");
  write_file(folder_ + "/small.onnx", model.bytes());
  ASSERT_EQ(run({"--int8", "--calibData=samples", "--saveCalib=a.cache"}).status, 0);
  const quant::Scales scales = quant::scales_of(quant::read_cache(folder_ + "/a.cache"));
  EXPECT_EQ(scales.size(), 3u);
  EXPECT_GT(scales.at("before"), 0);
  ASSERT_EQ(run({"--int8", "--calib=a.cache", "--saveCalib=b.cache"}).status, 0);
  EXPECT_EQ(read_file(folder_ + "/a.cache"), read_file(folder_ + "/b.cache"));
}

TEST_F(CalibrationFlags, BatchesAndAlgorithmAreTheUsers) {
  const test::Outcome made = run({"--int8", "--calibData=samples", "--calibBatches=2",
                                  "--calibAlgorithm=minmax", "--saveCalib=small.cache"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("on 2 samples of 'samples'"));
  EXPECT_EQ(quant::read_cache(folder_ + "/small.cache").algorithm, "MinMaxCalibration");
}

TEST_F(CalibrationFlags, LayersThatCostTooMuchLeaveInt8) {
  const std::vector<std::string> flags = {"--int8", "--fp16", "--calibData=samples"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), flags.begin(), flags.end());
    return run(more);
  };
  const test::Outcome strict = with({"--calibCosine=1", "--verbose"});
  ASSERT_EQ(strict.status, 0) << strict.err;
  EXPECT_THAT(strict.out, HasSubstr("to see which cost most"));
  EXPECT_THAT(strict.err, HasSubstr("INT8 throughout keeps a cosine of"));
  EXPECT_THAT(strict.out, HasSubstr("computes in f16 and not in i8: "));
  EXPECT_THAT(summary()["quantization"]["lifted"].get<std::string>(), HasSubstr("INT8 steps"));
  EXPECT_EQ(with({"--calibCosine=0"}).status, 0);
  EXPECT_FALSE(summary()["quantization"].contains("lifted"));
  EXPECT_EQ(with({"--calibCosine=1.5"}).status, 2);
}

TEST_F(CalibrationFlags, FixedRangesAreSaidToBeMeaningless) {
  const test::Outcome made = run({"--int8", "--saveEngine=small.plan"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("the outputs mean nothing"));
  EXPECT_EQ(summary()["quantization"]["accuracy_is_meaningless"], true);
  const test::Outcome inspected =
      test::run_program({DLAEXEC_PROGRAM, "--inspect=small.plan"}, folder_);
  EXPECT_THAT(inspected.out, HasSubstr("the outputs mean nothing"));
  EXPECT_THAT(inspected.out, HasSubstr("fixed"));
}

TEST_F(CalibrationFlags, AMissingCacheIsAnErrorThatNamesIt) {
  const test::Outcome failed = run({"--int8", "--calib=missing.cache"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_THAT(failed.err, HasSubstr("'missing.cache'"));
}

TEST_F(CalibrationFlags, AsTrtexecAMissingCacheMeansNoise) {
  const test::Outcome made = run({"--int8", "--calib=missing.cache", "--compat=8.6"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("calibrated on random numbers"));
  EXPECT_THAT(summary()["quantization"]["from"].get<std::string>(), HasSubstr("random numbers"));
}

TEST_F(CalibrationFlags, ContradictionsAndMissingDataAreErrors) {
  EXPECT_EQ(run({"--int8", "--calib=a", "--calibData=samples"}).status, 2);
  EXPECT_THAT(run({"--int8", "--calibData=nowhere"}).err, HasSubstr("'nowhere'"));
  EXPECT_THAT(run({"--int8", "--saveCalib=x.cache"}).err, HasSubstr("--saveCalib has no ranges"));
  EXPECT_EQ(run({"--int8", "--layerwise"}).status, 2);
  EXPECT_EQ(run({"--int8", "--maxAccuracyLoss=1"}).status, 2);
}

TEST_F(CalibrationFlags, AFinishedPlanIsJudgedToo) {
  const std::vector<std::string> checks = {"--validate=manifest.txt", "--compareTo=fp32",
                                           "--layerwise", "--compareData=samples"};
  for (const std::vector<std::string>& engine :
       {std::vector<std::string>{}, {"--fp16", "--useDLACore=0", "--allowGPUFallback"}}) {
    std::vector<std::string> build = {"--int8", "--calibData=samples", "--saveEngine=small.plan"};
    build.insert(build.end(), engine.begin(), engine.end());
    build.insert(build.end(), checks.begin(), checks.end());
    ASSERT_EQ(run(build).status, 0);
    const json fresh = summary()["accuracy"];
    std::vector<std::string> load = {"--loadEngine=small.plan"};
    load.insert(load.end(), checks.begin(), checks.end());
    const test::Outcome loaded = run(load);
    ASSERT_EQ(loaded.status, 0) << loaded.err;
    EXPECT_EQ(summary()["accuracy"]["validation"], fresh["validation"]);
    EXPECT_EQ(summary()["accuracy"]["comparison"]["outputs"], fresh["comparison"]["outputs"]);
    EXPECT_EQ(summary()["accuracy"]["comparison"]["layers"], fresh["comparison"]["layers"]);
  }
  const test::Outcome steps = run({"--loadEngine=small.plan", "--compareTo=cpu"});
  EXPECT_THAT(steps.err, HasSubstr("compiled in a finished plan"));
  EXPECT_EQ(run({"--loadEngine=small.plan", "--compareTo=gpu"}).status, 2);
}

TEST_F(CalibrationFlags, ValidatingAFinishedPlanNeedsNoModel) {
  ASSERT_EQ(run({"--int8", "--calibData=samples", "--saveEngine=small.plan"}).status, 0);
  const auto load = [&](const char* check) {
    return test::run_program({DLAEXEC_PROGRAM, "--loadEngine=small.plan", "--skipInference",
                              "--device=cpu", "--exportSummary=summary.json", check},
                             folder_);
  };
  const test::Outcome validated = load("--validate=manifest.txt");
  ASSERT_EQ(validated.status, 0) << validated.err;
  EXPECT_EQ(summary()["accuracy"]["validation"]["predictions"].size(), 6u);
  const test::Outcome compared = load("--compareTo=fp32");
  EXPECT_EQ(compared.status, 2);
  EXPECT_THAT(compared.err, HasSubstr("add --onnx=FILE"));
}

TEST_F(CalibrationFlags, PrecisionsAreWrittenAsTheFlagReadsThem) {
  ASSERT_EQ(run({"--int8", "--fp16", "--calibData=samples", "--saveLayerPrecisions=layers"}).status,
            0);
  const test::Outcome again = run({"--int8", "--fp16", "--calibData=samples",
                                   "--precisionConstraints=obey", "--layerPrecisions=@layers"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.err, Not(HasSubstr("no layer is called")));
}

TEST_F(CalibrationFlags, LayersThatTheFlagCannotNameAreLeftOutOfWrittenPrecisions) {
  test::OnnxModel model;
  model.add_input("image", {"1", "3", "16", "16"});
  model.add_initializer("w", {4, 3, 1, 1}, std::vector<float>(12, 0.5f));
  model.add_node("Conv", {"image", "w"}, {"a:0"}, "conv:1");
  model.add_node("Relu", {"a:0"}, {"y"}, "relu,2");
  model.add_output("y");
  write_file(folder_ + "/small.onnx", model.bytes());
  const test::Outcome made = run({"--int8", "--calibData=samples", "--saveLayerPrecisions=layers"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.err, HasSubstr("leaves out layer 'relu,2'"));
  EXPECT_EQ(read_file(folder_ + "/layers"), "conv:1:int8\n");
  EXPECT_EQ(run({"--int8", "--calibData=samples", "--precisionConstraints=obey",
                 "--layerPrecisions=@layers"})
                .status,
            0);
}

TEST_F(CalibrationFlags, OutputsAreComparedAndGated) {
  const std::vector<std::string> flags = {"--int8", "--calibData=samples", "--compareTo=fp32",
                                          "--layerwise"};
  ASSERT_EQ(run(flags).status, 0);
  const json comparison = summary()["accuracy"]["comparison"];
  EXPECT_EQ(comparison["samples"], 6);
  EXPECT_EQ(comparison["outputs"].size(), 1u);
  EXPECT_GT(comparison["outputs"][0]["cosine"], 0.9);
  EXPECT_GE(comparison["layers"].size(), 3u);

  auto strict = flags;
  strict.emplace_back("--minCosine=1.1");
  const test::Outcome failed = run(strict);
  EXPECT_EQ(failed.status, 3);
  EXPECT_THAT(failed.err, HasSubstr("accuracy.min-cosine"));
  strict.back() = "--minCosine=0.5";
  EXPECT_EQ(run(strict).status, 0);
}

TEST_F(CalibrationFlags, LabelledSamplesGiveTopOneAndItsLoss) {
  const std::vector<std::string> flags = {"--int8", "--calibData=samples",
                                          "--validate=manifest.txt", "--compareTo=fp32"};
  ASSERT_EQ(run(flags).status, 0);
  const json validation = summary()["accuracy"]["validation"];
  EXPECT_EQ(validation["samples"], 6);
  EXPECT_EQ(validation["predictions"].size(), 6u);
  EXPECT_EQ(validation["reference"]["engine"], "fp32");
  auto strict = flags;
  strict.emplace_back("--maxAccuracyLoss=-101");
  EXPECT_EQ(run(strict).status, 3);
  strict.back() = "--minTop1=100.5";
  EXPECT_EQ(run(strict).status, 3);
}

TEST_F(CalibrationFlags, TheHostEngineAndTheDefinitionAgreeOnEveryTensor) {
  for (const char* peer : {"ref", "cpu"}) {
    ASSERT_EQ(run({"--int8", "--calibData=samples", format("--compareTo={}", peer), "--layerwise",
                   "--minCosine=0.9999"})
                  .status,
              0)
        << peer;
    EXPECT_EQ(summary()["accuracy"]["comparison"]["first_bad"], nullptr);
  }
}

TEST_F(CalibrationFlags, TheDlaTakesTheRangesToo) {
  const test::Outcome made =
      run({"--int8", "--fp16", "--useDLACore=0", "--allowGPUFallback", "--calibData=samples",
           "--compareTo=fp32", "--layerwise", "--minCosine=0.9"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_GE(summary()["accuracy"]["comparison"]["layers"].size(), 3u);
}

/// x -> Q -> DQ -> convolution with quantized weights -> Relu -> Q -> DQ -> average pooling.
test::OnnxModel qdq_network() {
  test::OnnxModel model;
  model.add_input("image", {"1", "3", "16", "16"});
  model.add_initializer("s", {}, {0.02f});
  model.add_initializer("t", {}, {0.05f});
  auto* zero = model.add_initializer("zero", {}, {});
  zero->set_data_type(onnx_file::TensorProto::INT8);
  zero->add_int32_data(0);
  auto* weights = model.add_initializer("w8", {8, 3, 1, 1}, {});
  weights->set_data_type(onnx_file::TensorProto::INT8);
  for (int i = 0; i < 24; ++i) weights->add_int32_data(i * 10 - 120);
  model.add_node("QuantizeLinear", {"image", "s", "zero"}, {"image_q"}, "q0");
  model.add_node("DequantizeLinear", {"image_q", "s", "zero"}, {"image_d"}, "dq0");
  model.add_node("DequantizeLinear", {"w8", "s", "zero"}, {"w"}, "dqw");
  model.add_node("Conv", {"image_d", "w"}, {"c"}, "conv");
  model.add_node("Relu", {"c"}, {"r"}, "relu");
  model.add_node("QuantizeLinear", {"r", "t", "zero"}, {"r_q"}, "q1");
  model.add_node("DequantizeLinear", {"r_q", "t", "zero"}, {"r_d"}, "dq1");
  auto* pool = model.add_node("MaxPool", {"r_d"}, {"y"}, "pool");
  test::OnnxModel::set(pool, "kernel_shape", {2, 2});
  test::OnnxModel::set(pool, "strides", {2, 2});
  model.add_output("y");
  return model;
}

TEST_F(CalibrationFlags, QdqLayersAreTranslatedForTheDla) {
  write_file(folder_ + "/small.onnx", qdq_network().bytes());
  const std::vector<std::string> flags = {"--int8",
                                          "--fp16",
                                          "--useDLACore=0",
                                          "--allowGPUFallback",
                                          "--saveCalib=q.cache",
                                          "--saveLayerPrecisions=layers",
                                          "--requireDLA=conv"};
  const test::Outcome made = run(flags);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("--translateQDQ (on with --useDLACore)"));
  EXPECT_EQ(summary()["quantization"]["ranges"], "explicit");
  const quant::Scales scales = quant::scales_of(quant::read_cache(folder_ + "/q.cache"));
  EXPECT_EQ(scales.at("image"), 0.02f);
  EXPECT_EQ(scales.at("r"), 0.05f);
  EXPECT_EQ(scales.at("y"), 0.05f) << "pooling keeps the range";
  EXPECT_THAT(read_file(folder_ + "/layers"), HasSubstr("conv:int8"));

  auto kept = flags;
  kept[4] = "--translateQDQ=false";
  kept.pop_back();
  const test::Outcome untranslated = run(kept);
  EXPECT_THAT(untranslated.err, HasSubstr("Q/DQ layers stay as they are")) << untranslated.err;
}

TEST_F(CalibrationFlags, QdqLayersAreFusedOnTheHostAndAgreeWithFakeQuantization) {
  write_file(folder_ + "/small.onnx", qdq_network().bytes());
  const test::Outcome made = run(
      {"--int8", "--compareTo=fp32", "--compareData=samples", "--layerwise", "--minCosine=0.9999"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(summary()["quantization"]["ranges"], "explicit");
}

TEST_F(CalibrationFlags, PrecisionsAreSearchedUntilTheLossHolds) {
  const std::vector<std::string> flags = {"--int8", "--fp16", "--calibData=samples",
                                          "--calibCosine=0.9", "--tunePrecision=100"};
  const test::Outcome found = run(flags);
  ASSERT_EQ(found.status, 0);
  EXPECT_THAT(found.err, HasSubstr("--calibCosine has no effect with --tunePrecision"));
  json search = summary()["accuracy"]["precision_search"];
  EXPECT_EQ(search["chosen"], 0) << "INT8 alone holds";
  auto strict = flags;
  strict.back() = "--tunePrecision=0";
  const test::Outcome failed = run(strict);
  EXPECT_EQ(failed.status, 3) << "FP16 is never FP32";
  EXPECT_THAT(failed.out, HasSubstr("Pareto points"));
  strict.erase(strict.begin() + 1);
  EXPECT_EQ(run(strict).status, 2) << "without --fp16 there is nothing to lift to";
}

}  // namespace
}  // namespace dlaexec::cli
