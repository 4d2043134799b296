#include "classifier.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

using namespace dlaexec;

namespace {

constexpr int kClasses = 10;

template <class T>
std::unique_ptr<T> made(T* object, const char* what) {
  if (!object) throw std::runtime_error(std::string(what) + " failed");
  return std::unique_ptr<T>(object);
}

std::vector<float> pixels_of(const Digit& digit) {
  std::vector<float> pixels(digit.size());
  std::transform(digit.begin(), digit.end(), pixels.begin(),
                 [](uint8_t ink) { return static_cast<float>(ink) / 255; });
  return pixels;
}

std::unique_ptr<INetworkDefinition> parse(ILogger& logger, IBuilder& builder,
                                          const std::string& model) {
  const auto explicit_batch =
      1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
  auto network = made(builder.createNetworkV2(explicit_batch), "createNetworkV2");
  const auto parser = made(createParser(*network, logger), "createParser");
  if (!parser->parseFromFile(model.c_str(), 0))
    throw std::runtime_error("parsing '" + model + "' failed");
  return network;
}

/// Every tensor of the network: its inputs, and the outputs of its layers.
std::vector<ITensor*> tensors_of(const INetworkDefinition& network) {
  std::vector<ITensor*> tensors;
  for (int32_t i = 0; i < network.getNbInputs(); ++i) tensors.push_back(network.getInput(i));
  for (int32_t i = 0; i < network.getNbLayers(); ++i)
    for (int32_t k = 0; k < network.getLayer(i)->getNbOutputs(); ++k)
      tensors.push_back(network.getLayer(i)->getOutput(k));
  return tensors;
}

void apply(const Choice& choice, const Ranges& ranges, const INetworkDefinition& network,
           IBuilderConfig& config) {
  if (choice.fp16) config.setFlag(BuilderFlag::kFP16);
  if (choice.int8) {
    config.setFlag(BuilderFlag::kINT8);
    for (ITensor* tensor : tensors_of(network))
      if (const auto range = ranges.find(tensor->getName()); range != ranges.end())
        tensor->setDynamicRange(-range->second, range->second);
  }
  if (choice.dla_core < 0) return;
  config.setDefaultDeviceType(DeviceType::kDLA);
  config.setDLACore(choice.dla_core);
  config.setFlag(BuilderFlag::kGPU_FALLBACK);
}

}  // namespace

Classifier::Classifier(ILogger& logger, const std::string& model, const Choice& choice,
                       const Ranges& ranges) {
  const auto builder = made(createInferBuilder(logger), "createInferBuilder");
  const auto network = parse(logger, *builder, model);
  const auto config = made(builder->createBuilderConfig(), "createBuilderConfig");
  apply(choice, ranges, *network, *config);
  const auto plan = made(builder->buildSerializedNetwork(*network, *config), "building the plan");
  plan_bytes_ = plan->size();

  const auto runtime = made(createInferRuntime(logger), "createInferRuntime");
  if (choice.dla_core >= 0) runtime->setDLACore(choice.dla_core);
  engine_ = made(runtime->deserializeCudaEngine(plan->data(), plan->size()), "loading the plan");
  context_ = made(engine_->createExecutionContext(), "createExecutionContext");
}

int Classifier::classify(const Digit& digit) {
  std::vector<float> pixels = pixels_of(digit);
  std::vector<float> scores(kClasses);
  void* const bindings[] = {pixels.data(), scores.data()};
  if (!context_->executeV2(bindings)) throw std::runtime_error("running the plan failed");
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

Ranges measure_ranges(ILogger& logger, const std::string& model, const std::vector<Digit>& digits) {
  const auto builder = made(createInferBuilder(logger), "createInferBuilder");
  const auto network = parse(logger, *builder, model);
  for (ITensor* tensor : tensors_of(*network))
    if (!tensor->isNetworkInput()) network->markOutput(*tensor);
  const auto config = made(builder->createBuilderConfig(), "createBuilderConfig");
  const auto engine =
      made(builder->buildEngineWithConfig(*network, *config), "building the FP32 engine");
  const auto context = made(engine->createExecutionContext(), "createExecutionContext");

  std::vector<std::vector<float>> buffers;
  std::vector<void*> bindings;
  for (int32_t i = 0; i < engine->getNbIOTensors(); ++i) {
    buffers.emplace_back(engine->getTensorSizeInBytes(engine->getIOTensorName(i)) / sizeof(float));
    bindings.push_back(buffers.back().data());
  }
  Ranges ranges;
  for (const Digit& digit : digits) {
    const std::vector<float> pixels = pixels_of(digit);
    std::copy(pixels.begin(), pixels.end(), buffers[0].begin());
    if (!context->executeV2(bindings.data()))
      throw std::runtime_error("running the FP32 engine failed");
    for (size_t i = 0; i < buffers.size(); ++i)
      for (const float x : buffers[i]) {
        float& range = ranges[engine->getIOTensorName(static_cast<int32_t>(i))];
        range = std::max(range, std::fabs(x));
      }
  }
  return ranges;
}
