#include "conformance/executor.h"

#include "base/error.h"
#include "base/thread_pool.h"
#include "cpu/program.h"
#include "ir/infer.h"
#include "plan/file.h"
#include "ref/evaluate.h"

namespace dlaexec::test {
namespace {

Tensors run_on_ref(const ir::Graph& graph, const Tensors& inputs) {
  return ref::run(graph, inputs);
}

Tensors run_on_cpu(const ir::Graph& graph, const Tensors& inputs) {
  static ThreadPool pool(2);
  return cpu::Program(with_shapes_of(graph, inputs), pool).run(inputs);
}

/// Saved, loaded, and run by the definition.
Tensors run_saved(const ir::Graph& graph, const Tensors& inputs) {
  plan::Plan plan;
  plan.graph = graph;
  const auto bytes = std::make_shared<const std::string>(plan::to_bytes(plan));
  const plan::Plan loaded = plan::from_bytes(std::as_bytes(std::span(*bytes)), bytes);
  return ref::run(loaded.graph, inputs);
}

const Executor kExecutors[] = {
    {"ref", run_on_ref},
    {"cpu", run_on_cpu},
    {"plan", run_saved},
};

}  // namespace

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
