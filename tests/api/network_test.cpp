#include "NvInfer.h"  // the compatibility header: code written for TensorRT sees nvinfer1

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/recording_logger.h"

namespace {

using namespace nvinfer1;
using testing::HasSubstr;

class ApiNetwork : public testing::Test {
 protected:
  dlaexec::test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::unique_ptr<INetworkDefinition> network_{builder_->createNetworkV2(
      1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH))};
  std::vector<float> numbers_ = std::vector<float>(4096, 0.5f);

  Weights weights(int64_t count) { return {DataType::kFLOAT, numbers_.data(), count}; }
  static std::vector<int32_t> list(const Dims& dims) { return {dims.d, dims.d + dims.nbDims}; }
};

TEST_F(ApiNetwork, ShapesFollowFromLayersAsTheyAreSet) {
  ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims4{2, 8, 12, 10});
  IConvolutionLayer* conv =
      network_->addConvolution(*x, 16, DimsHW{3, 3}, weights(16 * 8 * 9), Weights{});
  EXPECT_EQ(list(conv->getOutput(0)->getDimensions()), (std::vector<int32_t>{2, 16, 10, 8}));
  conv->setStride(DimsHW{2, 2});
  conv->setPadding(DimsHW{1, 1});
  EXPECT_EQ(list(conv->getOutput(0)->getDimensions()), (std::vector<int32_t>{2, 16, 6, 5}));
  EXPECT_EQ(list(conv->getKernelSizeNd()), (std::vector<int32_t>{3, 3}));
  IShuffleLayer* shuffle = network_->addShuffle(*conv->getOutput(0));
  shuffle->setReshapeDimensions(Dims2{0, -1});
  EXPECT_EQ(list(shuffle->getOutput(0)->getDimensions()), (std::vector<int32_t>{2, 480}));
  EXPECT_EQ(logger_.errors(), "");
}

TEST_F(ApiNetwork, AWrongNumberOfWeightsIsReportedAndGivesNoLayer) {
  ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims4{1, 8, 8, 8});
  EXPECT_EQ(network_->addConvolution(*x, 16, DimsHW{3, 3}, weights(100), Weights{}), nullptr);
  EXPECT_THAT(logger_.errors(), HasSubstr("100 weights"));
}

TEST_F(ApiNetwork, ATakenInputNameIsReported) {
  EXPECT_NE(network_->addInput("x", DataType::kFLOAT, Dims2{1, 2}), nullptr);
  EXPECT_EQ(network_->addInput("x", DataType::kFLOAT, Dims2{1, 2}), nullptr);
  EXPECT_THAT(logger_.errors(), HasSubstr("'x' is taken"));
}

TEST_F(ApiNetwork, AnExplicitDeviceWinsOverTheDefaultUntilItIsReset) {
  ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims4{1, 8, 8, 8});
  ILayer* relu = network_->addActivation(*x, ActivationType::kRELU);
  std::unique_ptr<IBuilderConfig> config(builder_->createBuilderConfig());
  EXPECT_EQ(config->getDeviceType(relu), DeviceType::kGPU);
  config->setDefaultDeviceType(DeviceType::kDLA);
  EXPECT_EQ(config->getDeviceType(relu), DeviceType::kDLA);
  EXPECT_FALSE(config->isDeviceTypeSet(relu));
  config->setDeviceType(relu, DeviceType::kGPU);
  EXPECT_TRUE(config->isDeviceTypeSet(relu));
  EXPECT_EQ(config->getDeviceType(relu), DeviceType::kGPU);
  config->resetDeviceType(relu);
  EXPECT_EQ(config->getDeviceType(relu), DeviceType::kDLA);
}

TEST_F(ApiNetwork, ResetPutsEverythingBack) {
  std::unique_ptr<IBuilderConfig> config(builder_->createBuilderConfig());
  EXPECT_EQ(config->getDLACore(), -1);
  config->setFlag(BuilderFlag::kINT8);
  config->setDefaultDeviceType(DeviceType::kDLA);
  config->setDLACore(1);
  config->setMemoryPoolLimit(MemoryPoolType::kDLA_MANAGED_SRAM, 1 << 20);
  config->setEngineCapability(EngineCapability::kDLA_STANDALONE);
  config->setMinTimingIterations(3);
  config->setAvgTimingIterations(8);
  EXPECT_EQ(config->getMinTimingIterations(), 3);
  EXPECT_EQ(config->getAvgTimingIterations(), 8);
  config->reset();
  EXPECT_FALSE(config->getFlag(BuilderFlag::kINT8));
  EXPECT_EQ(config->getMinTimingIterations(), 1);
  EXPECT_EQ(config->getAvgTimingIterations(), 1);
  EXPECT_EQ(config->getDefaultDeviceType(), DeviceType::kGPU);
  EXPECT_EQ(config->getDLACore(), -1);
  EXPECT_EQ(config->getMemoryPoolLimit(MemoryPoolType::kDLA_MANAGED_SRAM), size_t{1} << 19);
  EXPECT_EQ(config->getEngineCapability(), EngineCapability::kSTANDARD);
}

TEST_F(ApiNetwork, CanRunOnDlaIsAnAnswerForOneLayer) {
  ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims4{1, 8, 40, 40});
  ILayer* fits = network_->addConvolution(*x, 8, DimsHW{3, 3}, weights(8 * 8 * 9), Weights{});
  IPoolingLayer* window = network_->addPooling(*x, PoolingType::kMAX, DimsHW{9, 9});
  std::unique_ptr<IBuilderConfig> config(builder_->createBuilderConfig());
  config->setFlag(BuilderFlag::kFP16);
  EXPECT_TRUE(config->canRunOnDLA(fits));
  EXPECT_FALSE(config->canRunOnDLA(window));
  window->setWindowSizeNd(Dims2{8, 8});
  EXPECT_TRUE(config->canRunOnDLA(window));
  EXPECT_TRUE(config->setPlatform("orin-nano"));  // a board without a DLA
  EXPECT_FALSE(config->canRunOnDLA(fits));
  EXPECT_FALSE(config->setPlatform("no-such-board"));
}

TEST_F(ApiNetwork, DynamicRangesAreSymmetric) {
  ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims4{1, 8, 8, 8});
  EXPECT_FALSE(x->dynamicRangeIsSet());
  EXPECT_TRUE(x->setDynamicRange(-2.0f, 1.0f));
  EXPECT_FLOAT_EQ(x->getDynamicRangeMax(), 2.0f);
  EXPECT_FLOAT_EQ(x->getDynamicRangeMin(), -2.0f);
  EXPECT_FALSE(x->setDynamicRange(1.0f, -1.0f));
  x->resetDynamicRange();
  EXPECT_FALSE(x->dynamicRangeIsSet());
}

}  // namespace
