// From a network to outputs through the public API.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "api/recording_logger.h"
#include "dlaexec/dlaexec.h"

namespace dlaexec {
namespace {

class ApiEngine : public testing::Test {
 protected:
  test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::unique_ptr<INetworkDefinition> network_{builder_->createNetworkV2(1U)};
  std::unique_ptr<IBuilderConfig> config_{builder_->createBuilderConfig()};
  std::vector<float> kernel_;
  IConvolutionLayer* conv_ = nullptr;

  /// image -> 3x3 convolution of eighths -> maps
  void SetUp() override {
    for (int i = 0; i < 16 * 8 * 9; ++i) kernel_.push_back(static_cast<float>(i * 7 % 17 - 8) / 8);
    ITensor* image = network_->addInput("image", DataType::kFLOAT, Dims4{1, 8, 6, 6});
    conv_ = network_->addConvolution(
        *image, 16, DimsHW{3, 3},
        Weights{DataType::kFLOAT, kernel_.data(), static_cast<int64_t>(kernel_.size())}, Weights{});
    conv_->setName("conv");
    conv_->getOutput(0)->setName("maps");
    network_->markOutput(*conv_->getOutput(0));
  }

  std::unique_ptr<ICudaEngine> build() {
    std::unique_ptr<IHostMemory> plan(builder_->buildSerializedNetwork(*network_, *config_));
    if (!plan) return nullptr;
    std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
    return std::unique_ptr<ICudaEngine>(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  }

  static std::vector<float> image() {
    std::vector<float> values(8 * 36);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(static_cast<int>(i * 5 % 13) - 6) / 4;
    return values;
  }

  float expected(const std::vector<float>& x, int k, int y, int w) const {
    float sum = 0;
    for (int c = 0; c < 8; ++c)
      for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s)
          sum += x[static_cast<size_t>((c * 6 + y + r) * 6 + w + s)] *
                 kernel_[static_cast<size_t>(((k * 8 + c) * 3 + r) * 3 + s)];
    return sum;
  }
};

TEST_F(ApiEngine, ALayerPutOnTheDlaByHandGivesTheRightOutputs) {
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDeviceType(conv_, DeviceType::kDLA);
  config_->setDLACore(0);
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> x = image();
  std::vector<float> maps(16 * 16, std::nanf(""));
  void* const bindings[] = {x.data(), maps.data()};
  ASSERT_TRUE(context->executeV2(bindings)) << logger_.errors();
  for (int k = 0; k < 16; ++k)
    for (int y = 0; y < 4; ++y)
      for (int w = 0; w < 4; ++w)
        ASSERT_NEAR(maps[static_cast<size_t>((k * 4 + y) * 4 + w)], expected(x, k, y, w), 0.02);
}

TEST_F(ApiEngine, BindingsHaveTheStridesAndSizesOfTheirFormats) {
  config_->setFlag(BuilderFlag::kFP16);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  config_->setDLACore(0);
  config_->setFlag(BuilderFlag::kDIRECT_IO);
  ITensor* input = network_->getInput(0);
  ITensor* output = network_->getOutput(0);
  for (ITensor* tensor : {input, output}) {
    tensor->setType(DataType::kHALF);
    tensor->setAllowedFormats(1U << static_cast<int>(TensorFormat::kCHW16));
  }
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_EQ(engine->getTensorFormat("image"), TensorFormat::kCHW16);
  EXPECT_EQ(engine->getTensorDataType("maps"), DataType::kHALF);
  EXPECT_EQ(engine->getTensorSizeInBytes("image"), size_t{6 * 6 * 32});  // one surface of 16 lanes
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  const Dims strides = context->getTensorStrides("maps");
  EXPECT_EQ((std::vector<int32_t>{strides.d, strides.d + 4}), (std::vector<int32_t>{16, 16, 4, 1}));
}

TEST_F(ApiEngine, BytesThatAreNoPlanAreReported) {
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
  const std::string junk = "not a plan at all";
  EXPECT_EQ(runtime->deserializeCudaEngine(junk.data(), junk.size()), nullptr);
  EXPECT_NE(logger_.errors(), "");
}

TEST_F(ApiEngine, AMissingAddressIsReported) {
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  EXPECT_FALSE(context->enqueueV3(nullptr));
  EXPECT_THAT(logger_.errors(), testing::HasSubstr("'image'"));
}

}  // namespace
}  // namespace dlaexec
