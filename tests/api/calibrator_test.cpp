#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "NvInfer.h"
#include "api/recording_logger.h"

namespace {

using namespace nvinfer1;
using testing::HasSubstr;

/// Gives the batches it was made with, as an application's calibrator does.
template <class Kind>
class Calibrator final : public Kind {
 public:
  explicit Calibrator(std::vector<std::vector<float>> batches) : batches_(std::move(batches)) {}

  int32_t getBatchSize() const noexcept override { return 1; }
  bool getBatch(void* bindings[], const char* names[], int32_t count) noexcept override {
    if (next_ == batches_.size() || count != 1) return false;
    asked_for = names[0];
    bindings[0] = batches_[next_++].data();
    return true;
  }
  const void* readCalibrationCache(std::size_t& length) noexcept override {
    length = kept.size();
    return kept.empty() ? nullptr : kept.data();
  }
  void writeCalibrationCache(const void* bytes, std::size_t length) noexcept override {
    kept.assign(static_cast<const char*>(bytes), length);
  }
  bool was_asked() const { return next_ > 0; }

  std::string asked_for, kept;

 private:
  std::vector<std::vector<float>> batches_;
  size_t next_ = 0;
};

class ApiCalibrator : public testing::Test {
 protected:
  dlaexec::test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::unique_ptr<INetworkDefinition> network_{builder_->createNetworkV2(
      1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH))};
  std::unique_ptr<IBuilderConfig> config_{builder_->createBuilderConfig()};
  std::vector<float> weights_{2};
  ITensor* input_ = nullptr;

  /// y = relu(2 x) for the four numbers of a batch.
  void SetUp() override {
    input_ = network_->addInput("x", DataType::kFLOAT, Dims4{-1, 1, 2, 2});
    IConvolutionLayer* conv = network_->addConvolution(*input_, 1, DimsHW{1, 1},
                                                       {DataType::kFLOAT, weights_.data(), 1}, {});
    conv->getOutput(0)->setName("doubled");
    IActivationLayer* relu = network_->addActivation(*conv->getOutput(0), ActivationType::kRELU);
    relu->getOutput(0)->setName("y");
    network_->markOutput(*relu->getOutput(0));
    config_->setFlag(BuilderFlag::kINT8);
  }
  bool build() {
    const std::unique_ptr<IHostMemory> plan(builder_->buildSerializedNetwork(*network_, *config_));
    return plan != nullptr;
  }
};

TEST_F(ApiCalibrator, MinMaxWritesTheRangeOfWhatItGave) {
  Calibrator<IInt8MinMaxCalibrator> calibrator({{1, -4, 2, 0}, {3, 0, 0, 1}});
  config_->setInt8Calibrator(&calibrator);
  ASSERT_EQ(config_->getInt8Calibrator(), &calibrator);
  IOptimizationProfile* profile = builder_->createOptimizationProfile();
  for (const auto select :
       {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    ASSERT_TRUE(profile->setDimensions("x", select, Dims4{1, 1, 2, 2}));
  ASSERT_EQ(config_->addOptimizationProfile(profile), 0);
  ASSERT_TRUE(config_->setCalibrationProfile(profile));
  ASSERT_TRUE(build()) << logger_.errors();
  EXPECT_EQ(calibrator.asked_for, "x");
  // Ranges of 4, 8 and 6, each divided by 127.
  EXPECT_EQ(calibrator.kept,
            "TRT-8601-MinMaxCalibration\ndoubled: 3d810204\nx: 3d010204\ny: 3d418306\n");
}

TEST_F(ApiCalibrator, ACacheSavesTheBatches) {
  Calibrator<IInt8EntropyCalibrator2> calibrator({{1, 2, 3, 4}});
  calibrator.kept = "TRT-8601-EntropyCalibration2\nx: 3c010204\ndoubled: 3c010204\ny: 3c010204\n";
  config_->setInt8Calibrator(&calibrator);
  ASSERT_TRUE(build()) << logger_.errors();
  EXPECT_FALSE(calibrator.was_asked());
}

TEST_F(ApiCalibrator, ACacheOfAnotherAlgorithmIsIgnored) {
  Calibrator<IInt8EntropyCalibrator2> calibrator({{1, 2, 3, 4}});
  calibrator.kept = "TRT-8601-MinMaxCalibration\nx: 3c010204\n";
  config_->setInt8Calibrator(&calibrator);
  ASSERT_TRUE(build()) << logger_.errors();
  EXPECT_TRUE(calibrator.was_asked());
  EXPECT_THAT(calibrator.kept, HasSubstr("TRT-8601-EntropyCalibration2\n"));
}

TEST_F(ApiCalibrator, WithoutABatchTheBuildFails) {
  Calibrator<IInt8EntropyCalibrator2> calibrator({});
  config_->setInt8Calibrator(&calibrator);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(), HasSubstr("no batch to calibrate on"));
}

TEST_F(ApiCalibrator, RangesThatWereSetOnTensorsNeedNoCalibrator) {
  for (ITensor* tensor :
       {input_, network_->getLayer(0)->getOutput(0), network_->getLayer(1)->getOutput(0)})
    ASSERT_TRUE(tensor->setDynamicRange(-3, 3));
  ASSERT_TRUE(build()) << logger_.errors();
  EXPECT_THAT(logger_.warnings(), testing::Not(HasSubstr("fixed ranges")));
}

TEST_F(ApiCalibrator, AProfileOutOfOrderIsRefused) {
  IOptimizationProfile* profile = builder_->createOptimizationProfile();
  profile->setDimensions("x", OptProfileSelector::kMIN, Dims4{4, 1, 2, 2});
  profile->setDimensions("x", OptProfileSelector::kOPT, Dims4{2, 1, 2, 2});
  EXPECT_EQ(profile->getDimensions("x", OptProfileSelector::kMAX).nbDims, -1);
  profile->setDimensions("x", OptProfileSelector::kMAX, Dims4{8, 1, 2, 2});
  EXPECT_FALSE(profile->isValid());
  EXPECT_FALSE(config_->setCalibrationProfile(profile));
  EXPECT_EQ(config_->addOptimizationProfile(profile), -1);
}

}  // namespace
