// Q/DQ networks in INT8 on the host engine, and on a GPU where there is one, against their
// definition: fake quantization by ref.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "accuracy/compare.h"
#include "accuracy/peer.h"
#include "build/build.h"
#include "cpu/program.h"
#include "gpu/on_device.h"
#include "ir/text.h"
#include "ref/evaluate.h"
#include "run/inputs.h"
#include "support/paths.h"

namespace dlaexec::accuracy {
namespace {

int64_t most_steps(const ir::Tensor& a, const ir::Tensor& b) {
  const std::vector<int64_t> x = a.to_ints(), y = b.to_ints();
  int64_t most = 0;
  for (size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(x[i] - y[i]));
  return most;
}

/// Runs a step on an engine.
using RunStep =
    std::function<std::vector<ir::Tensor>(const ir::Graph&, const std::vector<ir::Tensor>&)>;

std::vector<ir::Tensor> run_on_host(const ir::Graph& step, const std::vector<ir::Tensor>& inputs) {
  ThreadPool pool(2);
  return cpu::Program(step, pool).run(inputs);
}

std::vector<ir::Tensor> run_on_device(const ir::Graph& step,
                                      const std::vector<ir::Tensor>& inputs) {
  return gpu::run_on_device(step, inputs);
}

/// Runs every INT8 step of the built network on what ref's fake quantization gives it, and compares
/// what it makes with what ref makes. Returns how many steps were compared.
int compare_layers(build::Options options, const RunStep& run_step) {
  options.int8 = true;
  options.gpu_device.reset();
  BuildRecord record;
  record.listen(options);
  build::build(options);
  EXPECT_EQ(record.ranges.source, quant::RangeSource::Explicit);
  const ir::Graph& network = record.network;
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : network.inputs)
    inputs.push_back(
        run::random_input(network.value(id).type, ir::dims_of(network.value(id).shape)));
  const ref::Tensors real = ref::run_all(network, inputs);
  const auto of = [&](const ir::Value& value) {
    const auto id = network.find_value(value.name);
    return id ? real[static_cast<size_t>(*id)] : ir::Tensor();
  };
  int compared = 0;
  for (size_t i = 0; i < record.typed.nodes.size(); ++i) {
    const ir::Graph step = ir::extract(record.typed, {static_cast<int>(i)}, "step");
    const ir::Value& made = step.value(step.outputs[0]);
    if (record.typed.nodes[i].op == ir::Op::Reformat || made.type != ir::DataType::Int8) continue;
    std::vector<ir::Tensor> fed;
    for (const ir::ValueId id : step.inputs)
      if (const ir::Tensor tensor = of(step.value(id)); !ref::is_absent(tensor))
        fed.push_back(as_stored(tensor, step.value(id)));
    if (fed.size() != step.inputs.size() || ref::is_absent(of(made))) continue;
    EXPECT_LE(most_steps(run_step(step, fed)[0], as_stored(of(made), made)), 1)
        << record.typed.nodes[i].name;
    ++compared;
  }
  return compared;
}

int compare_layers(const std::string& name, const RunStep& run_step) {
  build::Options options;
  options.model_path = *test::shared_dir() + format("/data/models/{}/{}.onnx", name, name);
  const bool is_small = name.find("cifar") != std::string::npos;
  const ir::Dims dims = is_small ? ir::Dims{1, 3, 32, 32} : ir::Dims{1, 3, 224, 224};
  options.shapes = {{"input", dims, dims, dims}};
  return compare_layers(options, run_step);
}

build::Options small_qdq_network() {
  build::Options options;
  options.model_path = "qdq";
  options.graph = ir::parse(R"(graph @g(%x: f32[1,4,6,6]) {
    const %s = f32[] [0.01]
    const %t = f32[] [0.05]
    const %z = i8[] [0]
    const %w8 = i8[5,4,3,3] seed(3)
    const %ws = f32[5] [0.001, 0.002, 0.003, 0.0005, 0.004]
    const %b = f32[5] seed(4)
    %xq = quantize(%x, %s, %z) : i8[1,4,6,6]
    %xd = dequantize(%xq, %s, %z) : f32[1,4,6,6]
    %wd = dequantize(%w8, %ws, _) {axis=0} : f32[5,4,3,3]
    %c = conv(%xd, %wd, %b) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,5,6,6]
    %r = activation(%c) {kind=relu} : f32[1,5,6,6]
    %rq = quantize(%r, %t, %z) : i8[1,5,6,6]
    %rd = dequantize(%rq, %t, %z) : f32[1,5,6,6]
    %p = pool(%rd) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : f32[1,5,3,3]
    %pq = quantize(%p, %t, %z) : i8[1,5,3,3]
    %pd = dequantize(%pq, %t, %z) : f32[1,5,3,3]
    return %pd
  })");
  return options;
}

TEST(ExplicitQuantization, OnTheHostIsWithinAStepOfFakeQuantization) {
  EXPECT_GE(compare_layers(small_qdq_network(), run_on_host), 1);
}

TEST(ExplicitQuantization, OfATrainedNetworkIsWithinAStepOfFakeQuantizationInEveryLayer) {
  if (!test::shared_dir()) GTEST_SKIP() << test::kNoShared;
  EXPECT_GE(compare_layers("resnet20_cifar10_qdq", run_on_host), 20);
}

TEST(ExplicitQuantization, SlowOfTheOtherTrainedNetworksToo) {
  if (!test::shared_dir()) GTEST_SKIP() << test::kNoShared;
  for (const char* name : {"resnet56_cifar10_qdq", "squeezenet1.1_qdq", "mobilenetv2_qdq"})
    EXPECT_GE(compare_layers(name, run_on_host), 20) << name;
}

TEST(ExplicitQuantizationOnDevice, IsWithinAStepOfFakeQuantization) {
  SKIP_WITHOUT_DEVICE();
  EXPECT_GE(compare_layers(small_qdq_network(), run_on_device), 1);
}

TEST(ExplicitQuantizationOnDevice, OfATrainedNetworkIsWithinAStepInEveryLayer) {
  SKIP_WITHOUT_DEVICE();
  if (!test::shared_dir()) GTEST_SKIP() << test::kNoShared;
  EXPECT_GE(compare_layers("resnet20_cifar10_qdq", run_on_device), 20);
}

TEST(ComparedWithTheGpu, APlanForTheHostIsWithinAStepInEveryTensor) {
  SKIP_WITHOUT_DEVICE();
  build::Options options = small_qdq_network();
  options.int8 = true;
  const build::Options asked = options;
  options.gpu_device.reset();
  BuildRecord record;
  record.listen(options);
  const plan::Plan plan = build::build(options);
  ThreadPool pool(2);
  run::EngineOptions host;
  host.gpu_device.reset();
  const auto own = plan_peer(plan, host, Sight::EveryTensor);
  const auto peer = make_peer(PeerKind::Gpu, record, asked, pool, Sight::EveryTensor);
  const Comparison found =
      compare(*own, *peer, record, Sight::EveryTensor, 1, [&](size_t) -> std::vector<ir::Tensor> {
        return {run::random_input(ir::DataType::Float32, {1, 4, 6, 6})};
      });
  EXPECT_GE(found.layers.size(), 2u);
  EXPECT_LE(found.outputs.at(0).difference.max_abs, 0.0501) << "the output's scale is 0.05";
}

}  // namespace
}  // namespace dlaexec::accuracy
