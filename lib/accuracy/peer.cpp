#include "accuracy/peer.h"

#include <cmath>

#include "accuracy/taps.h"
#include "build/build.h"
#include "build/device_code.h"
#include "cpu/program.h"
#include "gpu/code.h"
#include "gpu/driver.h"
#include "passes/pipeline.h"
#include "ref/evaluate.h"

namespace dlaexec::accuracy {
namespace {

/// The elements of @p tensor as real numbers, by the scale that @p value has.
ir::Tensor real_numbers(const ir::Tensor& tensor, const ir::Value& value) {
  ir::Tensor real = tensor.converted(ir::DataType::Float32);
  if (tensor.type() != ir::DataType::Int8 || value.quantization.scales.size() != 1) return real;
  real = real.clone();
  for (float& element : real.mutable_as<float>()) element *= value.quantization.scales[0];
  return real;
}

std::vector<ir::Tensor> as_inputs(const std::vector<ir::Tensor>& reals, const ir::Graph& graph) {
  std::vector<ir::Tensor> inputs;
  for (size_t i = 0; i < reals.size(); ++i)
    inputs.push_back(as_stored(reals[i], graph.value(graph.inputs[i])));
  return inputs;
}

/// True if a tensor's elements stand for real numbers: floats, or integers with a scale.
bool is_real(const ir::Value& value) {
  return ir::is_float(value.type) ||
         (value.type == ir::DataType::Int8 && value.quantization.scales.size() == 1);
}

/// Makes what every node delivers an output, too.
void show_every_tensor(ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes)
    for (const ir::ValueId id : node.outputs)
      if (id != ir::kNoValue && is_real(graph.value(id)) && !graph.is_output(id))
        graph.outputs.push_back(id);
}

NamedTensors named(const ir::Graph& graph, const std::vector<ir::Tensor>& outputs) {
  NamedTensors tensors;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ir::Value& value = graph.value(graph.outputs[i]);
    tensors[value.name] = real_numbers(outputs[i], value);
  }
  return tensors;
}

class PlanPeer final : public Peer {
 public:
  PlanPeer(plan::Plan plan, const run::EngineOptions& options, Sight sight)
      : engine_(prepared(std::move(plan), options, sight), listening(options, sight)),
        context_(engine_) {}

  NamedTensors run(const std::vector<ir::Tensor>& inputs) override {
    const ir::Graph& graph = engine_.plan().graph;
    inside_.clear();
    context_.execute(as_inputs(inputs, graph));
    NamedTensors tensors = named(graph, context_.outputs());
    tensors.merge(inside_);
    return tensors;
  }

 private:
  /// Outputs that were not the plan's may need kernels that it has no code of.
  static plan::Plan prepared(plan::Plan plan, const run::EngineOptions& options, Sight sight) {
    if (sight == Sight::Outputs) return plan;
    show_every_tensor(plan.graph);
    if (plan.device_code.empty() || !options.gpu_device) return plan;
    build::Options compile;
    compile.gpu_device = options.gpu_device;
    compile.optimization_level = 0;
    compile.tf32 = !gpu::code_from_bytes(plan.device_code.front().bytes).full_floats;
    plan.device_code = build::compile_for_device(plan.graph, compile);
    return plan;
  }
  run::EngineOptions listening(run::EngineOptions options, Sight sight) {
    options.dla_outputs = run::DlaOutputs::Emulate;
    if (sight == Sight::EveryTensor)
      options.on_dla_tensor = [this](const std::string& tensor, const ir::Tensor& real) {
        inside_[tensor] = real;
      };
    return options;
  }

  NamedTensors inside_;  ///< DLA steps
  run::Engine engine_;
  run::Context context_;
};

class RefPeer final : public Peer {
 public:
  explicit RefPeer(ir::Graph graph, Sight sight) : graph_(std::move(graph)) {
    if (sight == Sight::EveryTensor) show_every_tensor(graph_);
  }
  NamedTensors run(const std::vector<ir::Tensor>& inputs) override {
    return named(graph_, ref::run(graph_, as_inputs(inputs, graph_)));
  }

 private:
  ir::Graph graph_;
};

class CpuPeer final : public Peer {
 public:
  CpuPeer(ir::Graph graph, ThreadPool& pool, Sight sight)
      : graph_(shown(std::move(graph), sight)), program_(graph_, pool) {}
  NamedTensors run(const std::vector<ir::Tensor>& inputs) override {
    return named(graph_, program_.run(as_inputs(inputs, graph_)));
  }

 private:
  static ir::Graph shown(ir::Graph graph, Sight sight) {
    if (sight == Sight::EveryTensor) show_every_tensor(graph);
    return graph;
  }
  ir::Graph graph_;
  cpu::Program program_;
};

/// The network of the record in FP32. Seen whole, nothing is fused, so that every tensor has the
/// model's name.
ir::Graph in_fp32(ir::Graph network, Sight sight) {
  passes::clean_up(network);
  if (sight == Sight::Outputs) passes::fuse(network);
  return network;
}

/// The build again, without a DLA, with the scales and precisions that it had.
plan::Plan for_gpu(build::Options options, const quant::Report& ranges) {
  if (!options.gpu_device)
    fail(
        "--compareTo=gpu needs a CUDA device; leave --device=cpu out, or compare with cpu or fp32");
  if (!gpu::find_driver().table)
    fail("--compareTo=gpu: {}; compare with cpu, ref or fp32", gpu::find_driver().reason);
  options.dla_core.reset();
  options.layer_devices.clear();
  options.scales = ranges.scales;
  options.calibrate = nullptr;
  options.on_stage = nullptr;
  options.on_quantized = nullptr;
  options.on_explanation = nullptr;
  options.input_formats.clear();
  options.output_formats.clear();
  options.constraints = quant::Constraints::Prefer;
  for (const quant::LayerPrecision& entry : ranges.precisions)
    options.layer_precisions[entry.layer] = entry.precision;
  return build::build(options);
}

/// The definition and the host engine take the steps as they were before the DLA's compiler.
void require_steps(const ir::Graph& typed, PeerKind kind) {
  for (const ir::Node& node : typed.nodes)
    if (node.op == ir::Op::ForeignNode)
      fail(
          "--compareTo={} runs the plan's steps one by one, and those on the DLA are compiled "
          "in a finished plan: compare it with fp32, or build it anew with --onnx alone",
          ir::text(kind));
}

run::EngineOptions on_gpu(const build::Options& options) {
  run::EngineOptions engine;
  engine.gpu_device = options.gpu_device;
  return engine;
}

}  // namespace

ir::Tensor as_stored(const ir::Tensor& real, const ir::Value& value) {
  if (real.type() == value.type) return real;
  if (value.type != ir::DataType::Int8 || value.quantization.scales.size() != 1)
    return real.converted(value.type);
  ir::Tensor stored(ir::DataType::Int8, real.dims());
  const std::vector<float> elements = real.to_floats();
  for (size_t i = 0; i < elements.size(); ++i)
    stored.mutable_as<int8_t>()[i] = static_cast<int8_t>(std::fmin(
        std::fmax(std::nearbyint(elements[i] / value.quantization.scales[0]), -128), 127));
  return stored;
}

std::unique_ptr<Peer> plan_peer(const plan::Plan& plan, const run::EngineOptions& options,
                                Sight sight) {
  return std::make_unique<PlanPeer>(plan, options, sight);
}

std::unique_ptr<Peer> make_peer(PeerKind kind, const BuildRecord& record,
                                const build::Options& options, ThreadPool& pool, Sight sight) {
  if (kind == PeerKind::Ref || kind == PeerKind::Cpu) require_steps(record.typed, kind);
  switch (kind) {
    case PeerKind::Ref:
      return std::make_unique<RefPeer>(record.typed, sight);
    case PeerKind::Cpu:
      return std::make_unique<CpuPeer>(record.typed, pool, sight);
    case PeerKind::Gpu:
      return std::make_unique<PlanPeer>(for_gpu(options, record.ranges), on_gpu(options), sight);
    case PeerKind::Fp32:
      return std::make_unique<CpuPeer>(in_fp32(record.network, sight), pool, sight);
  }
  __builtin_unreachable();
}

}  // namespace dlaexec::accuracy
