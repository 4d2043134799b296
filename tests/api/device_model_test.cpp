// Which device a layer runs on, as IBuilderConfig, IBuilder and IRuntime decide it: TensorRT's
// meanings one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/recording_logger.h"
#include "dlaexec/dlaexec.h"

namespace dlaexec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeviceModel : public testing::Test {
 protected:
  test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::unique_ptr<INetworkDefinition> network_{builder_->createNetworkV2(1U)};
  std::unique_ptr<IBuilderConfig> config_{builder_->createBuilderConfig()};
  std::vector<float> numbers_ = std::vector<float>(1 << 14, 0.25f);

  Weights weights(int64_t count) { return {DataType::kFLOAT, numbers_.data(), count}; }
  ILayer* conv(ITensor& x, const char* name, int channels = 16) {
    ILayer* layer =
        network_->addConvolution(x, 16, DimsHW{1, 1}, weights(16 * channels), Weights{});
    layer->setName(name);
    return layer;
  }
  ILayer* elu(ITensor& x, const char* name) {
    ILayer* layer = network_->addActivation(x, ActivationType::kELU);
    layer->setName(name);
    return layer;
  }
  ITensor* input() { return network_->addInput("x", DataType::kFLOAT, Dims4{1, 16, 8, 8}); }
  void output(ILayer* layer) { network_->markOutput(*layer->getOutput(0)); }

  std::unique_ptr<ICudaEngine> build() {
    return std::unique_ptr<ICudaEngine>(builder_->buildEngineWithConfig(*network_, *config_));
  }
  /// The steps of an engine, in order; a DLA's are called {ForeignNode[...]}.
  std::vector<std::string> steps(ICudaEngine& engine) {
    struct Names final : IProfiler {
      void reportLayerTime(const char* name, float) noexcept override { names.emplace_back(name); }
      std::vector<std::string> names;
    } profiler;
    std::unique_ptr<IExecutionContext> context(engine.createExecutionContext());
    context->setProfiler(&profiler);
    std::vector<std::vector<char>> buffers;
    std::vector<void*> bindings;
    for (int i = 0; i < engine.getNbBindings(); ++i) {
      buffers.emplace_back(engine.getTensorSizeInBytes(engine.getBindingName(i)));
      bindings.push_back(buffers.back().data());
    }
    EXPECT_TRUE(context->executeV2(bindings.data())) << logger_.errors();
    std::erase_if(profiler.names, [](const std::string& n) { return n.starts_with("Reformat"); });
    return profiler.names;
  }
};

TEST_F(DeviceModel, FlagsAreSetClearedAndRead) {
  for (const BuilderFlag flag :
       {BuilderFlag::kFP16, BuilderFlag::kINT8, BuilderFlag::kGPU_FALLBACK, BuilderFlag::kDIRECT_IO,
        BuilderFlag::kOBEY_PRECISION_CONSTRAINTS, BuilderFlag::kPREFER_PRECISION_CONSTRAINTS}) {
    EXPECT_FALSE(config_->getFlag(flag));
    config_->setFlag(flag);
    EXPECT_TRUE(config_->getFlag(flag));
    config_->clearFlag(flag);
    EXPECT_FALSE(config_->getFlag(flag));
  }
  config_->setFlags(1U << static_cast<int>(BuilderFlag::kINT8));
  EXPECT_TRUE(config_->getFlag(BuilderFlag::kINT8));
  EXPECT_EQ(config_->getFlags(), 1U << static_cast<int>(BuilderFlag::kINT8));
}

TEST_F(DeviceModel, TheBuilderAndTheRuntimeKnowTheBoard) {
  EXPECT_EQ(builder_->getMaxDLABatchSize(), 4096);
  EXPECT_EQ(builder_->getNbDLACores(), 2);
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
  EXPECT_EQ(runtime->getNbDLACores(), 2);
  EXPECT_EQ(runtime->getDLACore(), -1);
  runtime->setDLACore(1);
  EXPECT_EQ(runtime->getDLACore(), 1);
}

TEST_F(DeviceModel, TheDefaultMovesEveryLayerThatHasNoTypeOfItsOwn) {
  ILayer* a = conv(*input(), "a");
  ILayer* b = elu(*a->getOutput(0), "b");
  output(conv(*b->getOutput(0), "c"));
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  config_->setDeviceType(a, DeviceType::kGPU);
  auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_THAT(steps(*engine), ElementsAre("a + b", "{ForeignNode[c]}"));
  config_->resetDeviceType(a);  // back to the default
  engine = build();
  EXPECT_THAT(steps(*engine), ElementsAre("{ForeignNode[a]}", "b", "{ForeignNode[c]}"));
}

TEST_F(DeviceModel, ALayersOwnTypeWinsOverTheDefault) {
  ILayer* a = conv(*input(), "a");
  ILayer* b = elu(*a->getOutput(0), "b");
  output(conv(*b->getOutput(0), "c"));
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDeviceType(a, DeviceType::kDLA);
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_THAT(steps(*engine), ElementsAre("{ForeignNode[a]}", "b", "c"));
}

TEST_F(DeviceModel, ResetTakesLayersBackToTheGpu) {
  ILayer* a = conv(*input(), "a");
  output(a);
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDeviceType(a, DeviceType::kDLA);
  config_->reset();
  EXPECT_FALSE(config_->isDeviceTypeSet(a));
  EXPECT_FALSE(config_->getFlag(BuilderFlag::kGPU_FALLBACK));
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_THAT(steps(*engine), ElementsAre("a"));
}

TEST_F(DeviceModel, CanRunOnDlaSaysNothingAboutTheLayersTogether) {
  std::vector<ILayer*> convs;
  ITensor* x = input();
  for (int i = 0; i < 17; ++i) {
    convs.push_back(conv(*x, ("c" + std::to_string(i)).c_str()));
    x = elu(*convs.back()->getOutput(0), ("e" + std::to_string(i)).c_str())->getOutput(0);
  }
  network_->markOutput(*x);
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  for (const ILayer* layer : convs) EXPECT_TRUE(config_->canRunOnDLA(layer));
  EXPECT_FALSE(config_->canRunOnDLA(network_->getLayer(1)));  // ELU
  ASSERT_TRUE(build()) << logger_.errors();
  EXPECT_THAT(logger_.warnings(), HasSubstr("DLA supports only 16 subgraphs per DLA core."));
}

TEST_F(DeviceModel, CanRunOnDlaTakesAPrecisionThatTheDlaHas) {
  ILayer* a = conv(*input(), "a");
  EXPECT_FALSE(config_->canRunOnDLA(a)) << "FP32 alone is no DLA precision";
  config_->setFlag(BuilderFlag::kINT8);
  EXPECT_TRUE(config_->canRunOnDLA(a));
}

TEST_F(DeviceModel, CoresThatTheBoardLacksAreRefusedInBuildAndRuntime) {
  ILayer* a = conv(*input(), "a");
  output(a);
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  config_->setDLACore(1);
  EXPECT_EQ(config_->getDLACore(), 1);
  std::unique_ptr<IHostMemory> plan(builder_->buildSerializedNetwork(*network_, *config_));
  ASSERT_TRUE(plan) << logger_.errors();
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
  runtime->setDLACore(0);  // engines are not bound to the core they were built with
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT_TRUE(engine) << logger_.errors();
  runtime->setDLACore(7);
  EXPECT_FALSE(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT_THAT(logger_.errors(), HasSubstr("7 not available"));
  config_->setDLACore(2);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(), HasSubstr("2 not available"));
}

TEST_F(DeviceModel, WithoutFallbackEveryLayerInTheWayIsReported) {
  ILayer* b = elu(*conv(*input(), "a")->getOutput(0), "b");
  output(elu(*b->getOutput(0), "c"));
  config_->setFlag(BuilderFlag::kFP16);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(), HasSubstr("2 of 3 layers cannot run on the DLA"));
  EXPECT_THAT(logger_.errors(), HasSubstr("b (ACTIVATION)"));
  EXPECT_THAT(logger_.errors(), HasSubstr("c (ACTIVATION)"));
}

TEST_F(DeviceModel, WithoutFallbackEdgesThatNeedAReformatAreReportedWithTheirCure) {
  output(conv(*input(), "a"));
  config_->setFlag(BuilderFlag::kFP16);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(),
              HasSubstr("--inputIOFormats=fp16:chw16 --outputIOFormats=fp16:chw16"));
}

TEST_F(DeviceModel, ABoardWithoutADlaSaysSoForEachLayer) {
  output(conv(*input(), "a"));
  config_->setPlatform("orin-nano");
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(), HasSubstr("Cannot create DLA engine"));
}

TEST_F(DeviceModel, PoolLimitsHaveTheBoardsDefaultsAndMustBePowersOfTwo) {
  EXPECT_EQ(config_->getMemoryPoolLimit(MemoryPoolType::kDLA_MANAGED_SRAM), size_t{1} << 19);
  EXPECT_EQ(config_->getMemoryPoolLimit(MemoryPoolType::kDLA_LOCAL_DRAM), size_t{1} << 30);
  EXPECT_EQ(config_->getMemoryPoolLimit(MemoryPoolType::kDLA_GLOBAL_DRAM), size_t{1} << 29);
  config_->setPlatform("agx-xavier");
  EXPECT_EQ(config_->getMemoryPoolLimit(MemoryPoolType::kDLA_MANAGED_SRAM), size_t{1} << 20);
  config_->setMemoryPoolLimit(MemoryPoolType::kDLA_LOCAL_DRAM, 5000);
  EXPECT_EQ(config_->getMemoryPoolLimit(MemoryPoolType::kDLA_LOCAL_DRAM), size_t{5000});
  output(conv(*input(), "a"));
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  EXPECT_FALSE(build());
  EXPECT_THAT(logger_.errors(), HasSubstr("memory pool dlaLocalDRAM is 5000 bytes"));
  EXPECT_THAT(logger_.errors(), HasSubstr("give 4096 or 8192"));
}

TEST_F(DeviceModel, DynamicRangesAreTheScalesOfTheInt8Engine) {
  ITensor* x = input();
  ILayer* a = conv(*x, "a");
  ITensor* y = a->getOutput(0);
  y->setName("y");
  output(a);
  for (ITensor* tensor : {x, y}) tensor->setType(DataType::kINT8);
  x->setDynamicRange(-127, 127);  // one a step
  y->setDynamicRange(-254, 254);  // two a step
  config_->setFlag(BuilderFlag::kINT8);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDeviceType(a, DeviceType::kDLA);
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_EQ(engine->getTensorDataType("y"), DataType::kINT8);
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<int8_t> in(engine->getTensorSizeInBytes("x"), 5), out(in.size());
  void* const bindings[] = {in.data(), out.data()};
  ASSERT_TRUE(context->executeV2(bindings)) << logger_.errors();
  EXPECT_EQ(out[0], 10);  // 16 channels * 0.25 * 5 = 20, in steps of 2
}

TEST_F(DeviceModel, AStandaloneBuildGivesALoadableThatIsNoEngine) {
  ITensor* x = input();
  output(conv(*x, "a"));
  for (ITensor* tensor : {x, network_->getOutput(0)}) {
    tensor->setType(DataType::kHALF);
    tensor->setAllowedFormats(1U << static_cast<int>(TensorFormat::kCHW16));
  }
  config_->setFlag(BuilderFlag::kFP16);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  config_->setEngineCapability(EngineCapability::kDLA_STANDALONE);
  EXPECT_EQ(config_->getEngineCapability(), EngineCapability::kDLA_STANDALONE);
  std::unique_ptr<IHostMemory> loadable(builder_->buildSerializedNetwork(*network_, *config_));
  ASSERT_TRUE(loadable) << logger_.errors();
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
  EXPECT_FALSE(runtime->deserializeCudaEngine(loadable->data(), loadable->size()));
  EXPECT_THAT(logger_.errors(), HasSubstr("EngineCapability::kDLA_STANDALONE"));
  EXPECT_FALSE(build()) << "a loadable cannot be made an engine";
}

/// image[C,H,W] without a batch, as networks with an implicit one have it.
class ImplicitBatch : public DeviceModel {
 protected:
  void SetUp() override {
    network_.reset(builder_->createNetworkV2(0U));
    ITensor* x = network_->addInput("x", DataType::kFLOAT, Dims3{16, 2, 2});
    ILayer* a = conv(*x, "a");
    a->getOutput(0)->setName("y");
    output(a);
    builder_->setMaxBatchSize(4);
  }
  static constexpr size_t kItem = 16 * 2 * 2;
};

TEST_F(ImplicitBatch, IsNoDimensionOfTheNetworkAndOneOfTheEngine) {
  EXPECT_TRUE(network_->hasImplicitBatchDimension());
  EXPECT_EQ(builder_->getMaxBatchSize(), 4);
  EXPECT_EQ(network_->getInput(0)->getDimensions().nbDims, 3);
  EXPECT_EQ(network_->getOutput(0)->getDimensions().d[0], 16);
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  EXPECT_EQ(engine->getTensorShape("x").d[0], 4);
}

TEST_F(ImplicitBatch, RunsAnySmallerBatchWithoutADla) {
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> in(2 * kItem, 1.0f), out(3 * kItem, -1.0f);
  void* const bindings[] = {in.data(), out.data()};
  ASSERT_TRUE(context->execute(2, bindings)) << logger_.errors();
  EXPECT_EQ(out[0], 4.0f);  // 16 channels * 0.25
  EXPECT_EQ(out[2 * kItem - 1], 4.0f);
  EXPECT_EQ(out[2 * kItem], -1.0f) << "nothing is written past the batch";
  EXPECT_FALSE(context->execute(5, bindings));
}

TEST_F(ImplicitBatch, IsExactlyTheBuildsOnADla) {
  config_->setFlag(BuilderFlag::kFP16);
  config_->setFlag(BuilderFlag::kGPU_FALLBACK);
  config_->setDefaultDeviceType(DeviceType::kDLA);
  const auto engine = build();
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> in(4 * kItem, 1.0f), out(4 * kItem);
  void* const bindings[] = {in.data(), out.data()};
  EXPECT_TRUE(context->execute(4, bindings)) << logger_.errors();
  EXPECT_FALSE(context->execute(2, bindings));
  EXPECT_THAT(logger_.errors(), HasSubstr("a DLA takes exactly that"));
}

}  // namespace
}  // namespace dlaexec
