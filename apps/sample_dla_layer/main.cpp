// One convolution on an emulated DLA core, through the public API alone.
//
// Shows the whole way: describe a network, ask whether the DLA takes the layer, put it there by
// hand, build, save, load, run. Exit status 0 when the outputs are right.

#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "dlaexec/dlaexec.h"

using namespace dlaexec;

namespace {

class ConsoleLogger final : public ILogger {
 public:
  void log(Severity severity, const AsciiChar* message) noexcept override {
    if (severity <= Severity::kWARNING) std::fprintf(stderr, "%s\n", message);
  }
};

constexpr int kMaps = 16, kChannels = 8, kSize = 12, kKernel = 3;

/// The sum that the convolution must give at one place of one output map.
float expected(const std::vector<float>& image, const std::vector<float>& kernel, int map, int y,
               int x) {
  float sum = 0;
  for (int c = 0; c < kChannels; ++c)
    for (int r = 0; r < kKernel; ++r)
      for (int s = 0; s < kKernel; ++s)
        sum += image[(c * kSize + y * 2 + r) * kSize + x * 2 + s] *
               kernel[((map * kChannels + c) * kKernel + r) * kKernel + s];
  return sum;
}

/// Values that FP16 holds exactly, so that the check below may be strict.
std::vector<float> eighths(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(static_cast<int>(i * 7 % 17) - 8) / 8;
  return values;
}

}  // namespace

int main() {
  ConsoleLogger logger;
  const std::vector<float> kernel = eighths(kMaps * kChannels * kKernel * kKernel);

  // The network: one input, one convolution, one output.
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(
      1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH)));
  ITensor* input = network->addInput("image", DataType::kFLOAT, Dims4{1, kChannels, kSize, kSize});
  IConvolutionLayer* convolution = network->addConvolution(
      *input, kMaps, DimsHW{kKernel, kKernel},
      Weights{DataType::kFLOAT, kernel.data(), static_cast<int64_t>(kernel.size())}, Weights{});
  convolution->setStride(DimsHW{2, 2});
  convolution->setName("conv");
  convolution->getOutput(0)->setName("maps");
  network->markOutput(*convolution->getOutput(0));

  // The build: FP16, the convolution on DLA core 0, everything else wherever it can run.
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setFlag(BuilderFlag::kFP16);
  // The input and output are FP32: to convert them is not the DLA's work.
  config->setFlag(BuilderFlag::kGPU_FALLBACK);
  if (!config->canRunOnDLA(convolution)) {
    std::fprintf(stderr, "the DLA does not take the convolution\n");
    return 1;
  }
  config->setDeviceType(convolution, DeviceType::kDLA);
  config->setDLACore(0);
  std::unique_ptr<IHostMemory> plan(builder->buildSerializedNetwork(*network, *config));
  if (!plan) return 1;

  // The run, from the serialized plan.
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setDLACore(0);
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  if (!engine) return 1;
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> image = eighths(kChannels * kSize * kSize);
  const Dims shape = engine->getTensorShape("maps");
  const auto rows = static_cast<size_t>(shape.d[2]), columns = static_cast<size_t>(shape.d[3]);
  std::vector<float> maps(static_cast<size_t>(shape.d[1]) * rows * columns);
  void* const bindings[] = {image.data(), maps.data()};
  if (!context->executeV2(bindings)) return 1;

  double worst = 0;
  for (int map = 0; map < shape.d[1]; ++map)
    for (int y = 0; y < shape.d[2]; ++y)
      for (int x = 0; x < shape.d[3]; ++x) {
        const size_t at = (static_cast<size_t>(map) * rows + static_cast<size_t>(y)) * columns +
                          static_cast<size_t>(x);
        worst = std::fmax(worst, std::fabs(maps[at] - expected(image, kernel, map, y, x)));
      }
  std::printf("conv on DLA core 0: 1x%dx%dx%d, plan of %zu bytes, largest error %g\n", shape.d[1],
              shape.d[2], shape.d[3], plan->size(), worst);
  return worst < 1e-2 ? 0 : 1;
}
