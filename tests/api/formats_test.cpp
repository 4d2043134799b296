// Strides, offsets and sizes of bindings through the public API: the worked numbers of NVIDIA's
// guide for both generations and both types.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "api/recording_logger.h"
#include "dlaexec/dlaexec.h"

namespace dlaexec {
namespace {

constexpr const char* kXavier = "agx-xavier";
constexpr const char* kOrin = "agx-orin-64";

/// A tensor at a DLA's edge, and what must hold of its bytes.
struct FormatCase {
  const char* platform;
  DataType type;
  TensorFormat format;
  Dims4 dims;
  int64_t row_bytes;
  std::vector<int32_t> at;  ///< n, c, h, w of the element whose offset is known
  int64_t offset, size;

  friend void PrintTo(const FormatCase& each, std::ostream* out) {
    *out << each.platform << " type " << static_cast<int>(each.type) << " format "
         << static_cast<int>(each.format) << " C " << each.dims.d[1] << " W " << each.dims.d[3];
  }
};

constexpr DataType kI8 = DataType::kINT8, kF16 = DataType::kHALF;
constexpr TensorFormat kLin = TensorFormat::kDLA_LINEAR, kHwc4 = TensorFormat::kDLA_HWC4;

// clang-format off
const FormatCase kCases[] = {
    // DLA_LINEAR: rows of a multiple of 64 bytes on both.
    {kOrin,   kI8,  kLin, {1, 3, 224, 224}, 256, {0, 2, 5, 7}, 115975, 3 * 224 * 256},
    {kXavier, kI8,  kLin, {1, 3, 224, 224}, 256, {0, 2, 5, 7}, 115975, 3 * 224 * 256},
    {kOrin,   kF16, kLin, {1, 3, 224, 224}, 448, {0, 2, 5, 7}, 202958, 3 * 224 * 448},
    {kXavier, kF16, kLin, {1, 3, 224, 224}, 448, {0, 2, 5, 7}, 202958, 3 * 224 * 448},
    {kOrin,   kI8,  kLin, {1, 3, 8, 100}, 128, {0, 1, 2, 3}, (8 + 2) * 128 + 3, 3 * 8 * 128},
    {kXavier, kF16, kLin, {1, 3, 8, 100}, 256, {0, 1, 2, 3}, (8 + 2) * 256 + 6, 3 * 8 * 256},
    {kOrin,   kI8,  kLin, {1, 3, 8, 13},   64, {0, 1, 2, 3}, (8 + 2) * 64 + 3, 3 * 8 * 64},
    {kOrin,   kF16, kLin, {1, 3, 8, 13},   64, {0, 1, 2, 3}, (8 + 2) * 64 + 6, 3 * 8 * 64},
    {kXavier, kI8,  kLin, {2, 1, 8, 224}, 256, {1, 0, 2, 3}, (8 + 2) * 256 + 3, 2 * 8 * 256},
    // DLA_HWC4: 4 lanes, or 1 for one channel; rows of 32 bytes on Xavier, 64 on Orin.
    {kXavier, kI8,  kHwc4, {1, 3, 100, 100}, 416, {0, 2, 5, 7}, 2110, 41600},
    {kOrin,   kI8,  kHwc4, {1, 3, 100, 100}, 448, {0, 2, 5, 7}, 2270, 44800},
    {kXavier, kF16, kHwc4, {1, 3, 100, 100}, 800, {0, 2, 5, 7}, 5 * 800 + 7 * 8 + 4, 80000},
    {kOrin,   kF16, kHwc4, {1, 3, 100, 100}, 832, {0, 2, 5, 7}, 5 * 832 + 7 * 8 + 4, 83200},
    {kXavier, kI8,  kHwc4, {1, 3, 8, 224}, 896, {0, 1, 1, 2}, 896 + 9, 8 * 896},
    {kOrin,   kF16, kHwc4, {1, 3, 8, 224}, 1792, {0, 1, 1, 2}, 1792 + 18, 8 * 1792},
    {kXavier, kI8,  kHwc4, {1, 3, 8, 13}, 64, {0, 1, 1, 2}, 64 + 9, 8 * 64},
    {kOrin,   kF16, kHwc4, {1, 4, 8, 13}, 128, {0, 3, 1, 2}, 128 + 22, 8 * 128},
    {kXavier, kI8,  kHwc4, {1, 1, 8, 224}, 224, {0, 0, 1, 2}, 224 + 2, 8 * 224},
    {kOrin,   kI8,  kHwc4, {1, 1, 8, 224}, 256, {0, 0, 1, 2}, 256 + 2, 8 * 256},
    {kXavier, kF16, kHwc4, {1, 1, 8, 100}, 224, {0, 0, 1, 2}, 224 + 4, 8 * 224},
    {kOrin,   kF16, kHwc4, {1, 1, 8, 100}, 256, {0, 0, 1, 2}, 256 + 4, 8 * 256},
    {kXavier, kI8,  kHwc4, {1, 1, 8, 13}, 32, {0, 0, 1, 2}, 32 + 2, 8 * 32},
    {kOrin,   kI8,  kHwc4, {1, 1, 8, 13}, 64, {0, 0, 1, 2}, 64 + 2, 8 * 64},
    // CHW32 of INT8 and CHW16 of FP16: atoms of 32 bytes, no padding of rows.
    {kOrin,   kI8,  TensorFormat::kCHW32, {1, 48, 56, 56}, 56 * 32, {0, 40, 5, 7}, 109544, 200704},
    {kXavier, kI8,  TensorFormat::kCHW32, {1, 48, 56, 56}, 56 * 32, {0, 40, 5, 7}, 109544, 200704},
    {kOrin,   kF16, TensorFormat::kCHW16, {1, 20, 7, 7}, 7 * 32, {0, 17, 3, 4}, 2370, 3136},
    {kXavier, kF16, TensorFormat::kCHW16, {1, 20, 7, 7}, 7 * 32, {0, 17, 3, 4}, 2370, 3136},
    {kOrin,   kF16, TensorFormat::kCHW16, {3, 20, 7, 7}, 7 * 32, {2, 17, 3, 4}, 2 * 3136 + 2370, 3 * 3136},
};
// clang-format on

class Formats : public testing::TestWithParam<FormatCase> {
 protected:
  /// x -> 1x1 convolution of the DLA that keeps x's first channel -> y
  std::unique_ptr<ICudaEngine> build(const FormatCase& each) {
    std::unique_ptr<INetworkDefinition> network(builder_->createNetworkV2(1U));
    ITensor* x = network->addInput("x", DataType::kFLOAT, each.dims);
    kernel_.assign(static_cast<size_t>(each.dims.d[1]) * 8, 0.0f);
    kernel_[static_cast<size_t>(each.at[1])] = 1;
    IConvolutionLayer* conv = network->addConvolution(
        *x, 8, DimsHW{1, 1},
        Weights{DataType::kFLOAT, kernel_.data(), static_cast<int64_t>(kernel_.size())}, Weights{});
    ITensor* y = conv->getOutput(0);
    y->setName("y");
    network->markOutput(*y);
    for (ITensor* tensor : {x, y}) {
      tensor->setType(each.type);
      tensor->setDynamicRange(-127, 127);
    }
    x->setAllowedFormats(1U << static_cast<int>(each.format));
    y->setAllowedFormats(1U << static_cast<int>(TensorFormat::kDLA_LINEAR));
    std::unique_ptr<IBuilderConfig> config(builder_->createBuilderConfig());
    config->setPlatform(each.platform);
    config->setFlag(each.type == kI8 ? BuilderFlag::kINT8 : BuilderFlag::kFP16);
    config->setFlag(BuilderFlag::kDIRECT_IO);
    config->setDefaultDeviceType(DeviceType::kDLA);
    config->setDLACore(0);
    std::unique_ptr<IHostMemory> plan(builder_->buildSerializedNetwork(*network, *config));
    if (!plan) return nullptr;
    std::unique_ptr<IRuntime> runtime(createInferRuntime(logger_));
    return std::unique_ptr<ICudaEngine>(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  }

  test::RecordingLogger logger_;
  std::unique_ptr<IBuilder> builder_{createInferBuilder(logger_)};
  std::vector<float> kernel_;
};

/// Where TensorRT's queries say that an element lies.
int64_t offset_of(const ICudaEngine& engine, const IExecutionContext& context, const char* name,
                  const std::vector<int32_t>& at) {
  const Dims strides = context.getTensorStrides(name);
  const int64_t component = engine.getTensorBytesPerComponent(name);
  const int64_t lanes = engine.getTensorComponentsPerElement(name);
  int64_t elements = 0;
  for (size_t i = 0; i < at.size(); ++i)
    elements += static_cast<int64_t>(strides.d[i]) * (i == 1 ? at[i] / lanes : at[i]);
  return (elements * lanes + at[1] % lanes) * component;
}

TEST_P(Formats, HaveTheStridesOffsetsAndSizesOfTheGuide) {
  const FormatCase& each = GetParam();
  const auto engine = build(each);
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  EXPECT_EQ(engine->getTensorFormat("x"), each.format);
  EXPECT_EQ(engine->getTensorDataType("x"), each.type);
  EXPECT_EQ(engine->getTensorSizeInBytes("x"), static_cast<size_t>(each.size));
  const int64_t element =
      engine->getTensorBytesPerComponent("x") * engine->getTensorComponentsPerElement("x");
  EXPECT_EQ(context->getTensorStrides("x").d[2] * element, each.row_bytes);
  EXPECT_EQ(context->getTensorStrides("x").d[3], 1);
  EXPECT_EQ(context->getStrides(0).d[2], context->getTensorStrides("x").d[2]);
  EXPECT_EQ(offset_of(*engine, *context, "x", each.at), each.offset);
}

TEST_P(Formats, HoldTheElementWhereTheyShouldAndIgnorePadding) {
  const FormatCase& each = GetParam();
  const auto engine = build(each);
  ASSERT_TRUE(engine) << logger_.errors();
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<uint8_t> x(engine->getTensorSizeInBytes("x")), y(engine->getTensorSizeInBytes("y"));
  const uint16_t three_f16 = 0x4200;
  const uint8_t three_i8 = 3;
  const void* three = each.type == kI8 ? static_cast<const void*>(&three_i8) : &three_f16;
  const size_t width = each.type == kI8 ? 1 : 2;
  std::memcpy(x.data() + each.offset, three, width);
  void* const bindings[] = {x.data(), y.data()};
  ASSERT_TRUE(context->executeV2(bindings)) << logger_.errors();
  const int64_t there = offset_of(*engine, *context, "y", {each.at[0], 0, each.at[2], each.at[3]});
  EXPECT_EQ(std::memcmp(y.data() + there, three, width), 0);
  std::memset(y.data() + there, 0, width);
  EXPECT_EQ(std::count(y.begin(), y.end(), 0), static_cast<int64_t>(y.size())) << "all else is 0";
}

INSTANTIATE_TEST_SUITE_P(Guide, Formats, testing::ValuesIn(kCases));

/// On a GPU binding the same names mean TensorRT's own formats.
TEST(GpuFormats, KeepChw4AsAFormatOfItsOwn) {
  test::RecordingLogger logger;
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(1U));
  ITensor* x = network->addInput("x", DataType::kHALF, Dims4{1, 6, 2, 5});
  IActivationLayer* relu = network->addActivation(*x, ActivationType::kRELU);
  ITensor* y = relu->getOutput(0);
  y->setName("y");
  network->markOutput(*y);
  y->setType(DataType::kHALF);
  x->setAllowedFormats(1U << static_cast<int>(TensorFormat::kCHW4));
  y->setAllowedFormats(1U << static_cast<int>(TensorFormat::kHWC8));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setFlag(BuilderFlag::kFP16);
  std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  ASSERT_TRUE(engine) << logger.errors();
  EXPECT_EQ(engine->getTensorFormat("x"), TensorFormat::kCHW4);
  EXPECT_EQ(engine->getTensorComponentsPerElement("x"), 4);
  EXPECT_EQ(engine->getTensorVectorizedDim("x"), 1);
  EXPECT_EQ(engine->getTensorSizeInBytes("x"), size_t{2 * 2 * 5 * 4 * 2});
  EXPECT_EQ(engine->getTensorSizeInBytes("y"), size_t{2 * 5 * 8 * 2});
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  const std::vector<int32_t> at = {0, 5, 1, 3};
  std::vector<uint16_t> in(2 * 2 * 5 * 4), out(2 * 5 * 8);
  in[static_cast<size_t>(((1 * 2 + 1) * 5 + 3) * 4 + 1)] =
      0x4200;  // channel 5: second lane of block 1
  EXPECT_EQ(offset_of(*engine, *context, "x", at), (((1 * 2 + 1) * 5 + 3) * 4 + 1) * 2);
  EXPECT_EQ(offset_of(*engine, *context, "y", at), ((1 * 5 + 3) * 8 + 5) * 2);
  void* const bindings[] = {in.data(), out.data()};
  ASSERT_TRUE(context->executeV2(bindings)) << logger.errors();
  EXPECT_EQ(out[(1 * 5 + 3) * 8 + 5], 0x4200);
}

TEST(DlaFormats, TakeChw4AsTheOldNameOfHwc4) {
  test::RecordingLogger logger;
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(1U));
  const std::vector<float> kernel(3 * 16, 0.5f);
  ITensor* x = network->addInput("x", DataType::kHALF, Dims4{1, 3, 8, 100});
  ITensor* y = network
                   ->addConvolution(*x, 16, DimsHW{1, 1},
                                    Weights{DataType::kFLOAT, kernel.data(), 3 * 16}, Weights{})
                   ->getOutput(0);
  network->markOutput(*y);
  y->setType(DataType::kHALF);
  x->setAllowedFormats(1U << static_cast<int>(TensorFormat::kCHW4));
  y->setAllowedFormats(1U << static_cast<int>(TensorFormat::kCHW16));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setFlag(BuilderFlag::kFP16);
  config->setFlag(BuilderFlag::kDIRECT_IO);
  config->setDefaultDeviceType(DeviceType::kDLA);
  std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  ASSERT_TRUE(engine) << logger.errors();
  EXPECT_EQ(engine->getTensorFormat("x"), TensorFormat::kDLA_HWC4);
  EXPECT_EQ(engine->getTensorSizeInBytes("x"), size_t{8 * 832});
}

}  // namespace
}  // namespace dlaexec
