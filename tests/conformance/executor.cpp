#include "conformance/executor.h"

#include "base/error.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "build/build.h"
#include "cpu/program.h"
#include "ir/infer.h"
#include "plan/file.h"
#include "ref/evaluate.h"
#include "run/engine.h"

namespace dlaexec::test {
namespace {

Tensors run_on_ref(const ir::Graph& graph, const Tensors& inputs) {
  return ref::run(graph, inputs);
}

Tensors run_on_cpu(const ir::Graph& graph, const Tensors& inputs) {
  static ThreadPool pool(2);
  return cpu::Program(with_shapes_of(graph, inputs), pool).run(inputs);
}

plan::Plan saved_and_loaded(const plan::Plan& plan) {
  const auto bytes = std::make_shared<const std::string>(plan::to_bytes(plan));
  return plan::from_bytes(std::as_bytes(std::span(*bytes)), bytes);
}

/// Saved, loaded, and run by the definition.
Tensors run_saved(const ir::Graph& graph, const Tensors& inputs) {
  plan::Plan plan;
  plan.graph = graph;
  return ref::run(saved_and_loaded(plan).graph, inputs);
}

Tensors run_engine(const run::Engine& engine, const Tensors& inputs) {
  run::Context context(engine);
  context.execute(inputs);
  return context.outputs();
}

/// Built for the host in FP32, saved, loaded, and run.
Tensors run_on_host(const ir::Graph& graph, const Tensors& inputs) {
  return run_engine(host_engine(plan_for_host(graph, inputs)), inputs);
}

/// Built for a DLA core, saved, loaded, and run: the emulated core takes what the rules admit.
Tensors run_on_dla(const ir::Graph& graph, const Tensors& inputs) {
  const plan::Plan plan = plan_for_dla(graph, inputs);
  if (!plan::uses_dla(plan)) throw NotForTheDla();
  return run_engine(host_engine(plan), inputs);
}

const Executor kExecutors[] = {
    {"ref", run_on_ref},   {"cpu", run_on_cpu}, {"plan", run_saved},
    {"host", run_on_host}, {"dla", run_on_dla},
};

}  // namespace

NotForTheDla::NotForTheDla() : std::runtime_error("no layer is for the DLA") {}

namespace {

/// Builds without a word: refusals are what the caller looks at.
plan::Plan build_quietly(const build::Options& options) {
  const log::Sink before = log::set_sink({});
  try {
    plan::Plan plan = build::build(options);
    log::set_sink(before);
    return plan;
  } catch (...) {
    log::set_sink(before);
    throw;
  }
}

build::Options options_for(const ir::Graph& graph, const Tensors& inputs) {
  build::Options options;
  options.graph = with_shapes_of(graph, inputs);
  options.gpu_device = std::nullopt;
  return options;
}

}  // namespace

plan::Plan plan_for_host(const ir::Graph& graph, const Tensors& inputs) {
  return build_quietly(options_for(graph, inputs));
}

plan::Plan plan_for_dla(const ir::Graph& graph, const Tensors& inputs) {
  build::Options options = options_for(graph, inputs);
  options.fp16 = true;
  options.dla_core = 0;
  options.gpu_fallback = true;
  return build_quietly(options);
}

run::Engine host_engine(const plan::Plan& plan) {
  run::EngineOptions options;
  options.gpu_device = std::nullopt;
  options.threads = 2;
  return run::Engine(saved_and_loaded(plan), options);
}

std::span<const Executor> executors() { return kExecutors; }

const Executor& executor(const std::string& name) {
  for (const Executor& entry : kExecutors)
    if (entry.name == name) return entry;
  fail("no executor is called '{}'", name);
}

ir::Graph with_shapes_of(ir::Graph graph, const Tensors& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i)
    graph.value(graph.inputs.at(i)).shape = ir::shape_of(inputs[i].dims());
  ir::infer_shapes(graph);
  return graph;
}

}  // namespace dlaexec::test
