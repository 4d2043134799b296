#include "accuracy/calibrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/file.h"
#include "ir/npy.h"
#include "ir/text.h"
#include "support/paths.h"

namespace dlaexec::accuracy {
namespace {

constexpr const char* kNetwork = R"(graph @g(%x: f32[N,4]) {
  const %two = f32[1] [2]
  %double = elementwise(%x, %two) {kind=prod} : f32[N,4]
  %positive = activation(%double) {kind=relu} : f32[N,4]
  %nothing = elementwise(%positive, %positive) {kind=sub} : f32[N,4]
  return %nothing
})";

class Calibrate : public testing::Test {
 protected:
  ir::Graph graph_ = ir::parse(kNetwork);
  ThreadPool pool_{2};
  std::string path_ = test::temporary_dir() + "/x.npy";

  void SetUp() override {
    const ir::Tensor samples =
        ir::Tensor::of<float>({3, 4}, {1, -3, 2, 0.5f, 0, 0, 0, 0, 1, 1, 1, -1});
    write_file(path_, ir::write_npy(samples));
  }
  Calibration run(CalibrationRequest request) {
    request.settings.algorithm = quant::CalibrationAlgorithm::MinMax;
    const Dataset data(path_, feeds_of(graph_), {});
    return calibrate(graph_, data, request, pool_);
  }
};

TEST_F(Calibrate, EveryFloatTensorGetsTheRangeOfWhatWentThroughIt) {
  const Calibration found = run({});
  EXPECT_EQ(found.samples, 3u);
  ASSERT_EQ(found.tensors.size(), 4u);
  EXPECT_EQ(found.tensors[0].name, "x");
  EXPECT_FLOAT_EQ(found.scales.at("x"), 3.0f / 127);
  EXPECT_FLOAT_EQ(found.scales.at("double"), 6.0f / 127);
  EXPECT_FLOAT_EQ(found.scales.at("positive"), 4.0f / 127);
  EXPECT_FALSE(found.scales.contains("nothing"));  // always 0: no scale can be chosen
}

TEST_F(Calibrate, SamplesWithoutANumberGiveNoRange) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  write_file(path_, ir::write_npy(ir::Tensor::of<float>({1, 4}, {nan, nan, nan, nan})));
  EXPECT_THROW(run({}), Error);
  write_file(path_, ir::write_npy(ir::Tensor::of<float>({1, 4}, {nan, nan, nan, 1})));
  EXPECT_FLOAT_EQ(run({}).scales.at("x"), 1.0f / 127);
}

TEST_F(Calibrate, BatchesAndTheirNumberOnlyChooseTheSamples) {
  CalibrationRequest request;
  request.batch_size = 2;
  const Calibration pairs = run(request);
  EXPECT_EQ(pairs.samples, 2u);
  EXPECT_FLOAT_EQ(pairs.scales.at("x"), 3.0f / 127);
  request.batch_size = 4;
  EXPECT_THROW(run(request), Error);
  request.batch_size = 1;
  request.batches = 1;
  std::vector<size_t> progress;
  request.progress = [&](size_t done, size_t) { progress.push_back(done); };
  EXPECT_EQ(run(request).samples, 1u);
  EXPECT_THAT(progress, testing::ElementsAre(1));
}

TEST(CalibrateDecisive, WhatTheAnswerIsReadFromIsNotClipped) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,4096]) {
    %hidden = unary(%x) {kind=neg} : f32[1,4096]
    %scores = unary(%hidden) {kind=neg} : f32[1,4096]
    %p = softmax(%scores) {axis=1} : f32[1,4096]
    return %p
  })");
  std::vector<float> elements(4096);
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(i % 100) / 100;
  elements[7] = 50;  // one class stands out
  bool given = false;
  const auto once = [&]() -> std::optional<std::vector<ir::Tensor>> {
    if (std::exchange(given, true)) return std::nullopt;
    return std::vector<ir::Tensor>{ir::Tensor::of<float>({1, 4096}, elements)};
  };
  ThreadPool pool(2);
  quant::CalibrationSettings settings;
  settings.algorithm = quant::CalibrationAlgorithm::Percentile;
  settings.percentile = 99.9;
  const Calibration found = calibrate(graph, once, settings, pool);
  EXPECT_LT(found.scales.at("hidden") * 127, 2);
  EXPECT_FLOAT_EQ(found.scales.at("scores") * 127, 50);
}

}  // namespace
}  // namespace dlaexec::accuracy
