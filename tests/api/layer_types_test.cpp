// ILayer::setPrecision and setOutputType, as the plan shows them.
#include <gtest/gtest.h>

#include <algorithm>

#include "api/recording_logger.h"
#include "dlaexec/dlaexec.h"
#include "plan/file.h"

namespace dlaexec {
namespace {

class LayerTypes : public testing::Test {
 protected:
  LayerTypes() {
    ITensor* input = network_->addInput("x", DataType::kFLOAT, Dims4{1, 16, 8, 8});
    first_ = conv(*input, "first");
    second_ = conv(*first_->getOutput(0), "second");
    first_->getOutput(0)->setName("between");
    network_->markOutput(*second_->getOutput(0));
    config_->setFlag(BuilderFlag::kFP16);
  }
  ILayer* conv(ITensor& x, const char* name) {
    ILayer* layer = network_->addConvolution(
        x, 16, DimsHW{1, 1}, Weights{DataType::kFLOAT, numbers_.data(), 16 * 16}, Weights{});
    layer->setName(name);
    return layer;
  }
  plan::Plan build() {
    std::unique_ptr<IHostMemory> bytes(builder_->buildSerializedNetwork(*network_, *config_));
    EXPECT_TRUE(bytes) << logger_.errors();
    const auto kept =
        std::make_shared<const std::string>(static_cast<const char*>(bytes->data()), bytes->size());
    return plan::from_bytes(std::as_bytes(std::span(*kept)), kept);
  }
  static ir::DataType precision_of(const plan::Plan& plan, const std::string& name) {
    for (const plan::Layer& layer : plan.metadata.layers)
      if (layer.name == name) return layer.precision;
    ADD_FAILURE() << "no layer " << name;
    return ir::DataType::Bool;
  }

  std::vector<float> numbers_ = std::vector<float>(16 * 16, 0.25f);
  test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::unique_ptr<INetworkDefinition> network_{builder_->createNetworkV2(1U)};
  std::unique_ptr<IBuilderConfig> config_{builder_->createBuilderConfig()};
  ILayer *first_ = nullptr, *second_ = nullptr;
};

TEST_F(LayerTypes, PrecisionsBindUnderConstraintsAlone) {
  first_->setPrecision(DataType::kFLOAT);
  EXPECT_TRUE(first_->precisionIsSet());
  EXPECT_EQ(precision_of(build(), "first"), ir::DataType::Float16);
  config_->setFlag(BuilderFlag::kOBEY_PRECISION_CONSTRAINTS);
  const plan::Plan obeyed = build();
  EXPECT_EQ(precision_of(obeyed, "first"), ir::DataType::Float32);
  EXPECT_EQ(precision_of(obeyed, "second"), ir::DataType::Float16);
  first_->resetPrecision();
  EXPECT_FALSE(first_->precisionIsSet());
  EXPECT_EQ(precision_of(build(), "first"), ir::DataType::Float16);
}

TEST_F(LayerTypes, OutputsAreDeliveredAsAsked) {
  const auto between = [](const plan::Plan& plan) {
    return plan.graph.value(plan.graph.find_value("between").value()).type;
  };
  config_->setFlag(BuilderFlag::kOBEY_PRECISION_CONSTRAINTS);
  EXPECT_EQ(between(build()), ir::DataType::Float16);
  first_->setOutputType(0, DataType::kFLOAT);
  EXPECT_TRUE(first_->outputTypeIsSet(0));
  EXPECT_EQ(first_->getOutputType(0), DataType::kFLOAT);
  EXPECT_EQ(between(build()), ir::DataType::Float32);
  first_->resetOutputType(0);
  EXPECT_EQ(between(build()), ir::DataType::Float16);
  first_->setOutputType(1, DataType::kFLOAT);
  EXPECT_FALSE(first_->outputTypeIsSet(1));
  EXPECT_NE(logger_.errors(), "");
}

}  // namespace
}  // namespace dlaexec
