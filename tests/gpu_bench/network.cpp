// bench_gpu NETWORK [options]: tunes a network for the CUDA device, checks it when asked, and times
// it as one CUDA graph without copies. NETWORK is an ONNX file, built as a plan is, or a typed
// graph's text.
//   --fp16, --int8     precisions allowed to an ONNX file's layers
//   --cache=FILE       timing cache to read and extend
//   --candidates=N     tactics measured for a problem (24); 0: the cost model decides
//   --network=SECONDS  how long tactics are tried in the whole network (4); 0: not at all
//   --verbose          each time that was measured
//   --check            compare with the host engine; an ONNX file also through a plan and run/
//   --steps            time of each step, with the rates that it reaches
//   --iterations=N     timed launches (200)
// The last line is "RESULT <name> <median ms> <minimum ms>".
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "build/build.h"
#include "gpu/program.h"
#include "ir/text.h"
#include "plan/file.h"
#include "run/engine.h"
#include "tune/compile.h"
#include "tune/decisions.h"
#include "tune/problems.h"
#include "tune/tuner.h"

namespace dlaexec {
namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string network, cache;
  tune::TuneOptions tuning = tune::options_of_level(3);
  bool check = false, steps = false, fp16 = false, int8 = false, verbose = false;
  int iterations = 200;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const auto value = [&](const char* name) { return text.substr(std::string(name).size()); };
    if (text.rfind("--cache=", 0) == 0)
      arguments.cache = value("--cache=");
    else if (text.rfind("--candidates=", 0) == 0)
      arguments.tuning.candidates = std::strtoul(value("--candidates=").c_str(), nullptr, 10);
    else if (text.rfind("--iterations=", 0) == 0)
      arguments.iterations = std::atoi(value("--iterations=").c_str());
    else if (text == "--fp16")
      arguments.fp16 = true;
    else if (text == "--int8")
      arguments.int8 = true;
    else if (text.rfind("--network=", 0) == 0)
      arguments.tuning.network_time = std::chrono::seconds(std::atoi(value("--network=").c_str()));
    else if (text == "--verbose")
      arguments.verbose = true;
    else if (text == "--check")
      arguments.check = true;
    else if (text == "--steps")
      arguments.steps = true;
    else if (text.rfind("--", 0) != 0)
      arguments.network = text;
    else
      fail(Fault::Usage, "'{}' is no option of bench_gpu; see the head of its source", text);
  }
  if (arguments.network.empty()) fail(Fault::Usage, "give a network: bench_gpu FILE.ir");
  return arguments;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Weights of seed() are uniform in [-1, 1): brought to a size at which activations keep theirs.
void tame_weights(ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes) {
    const ir::Tensor* weights = graph.constant(node, 1);
    if (!weights || !ir::is_float(weights->type()) || weights->rank() < 2) continue;
    double fan_in = static_cast<double>(weights->count()) / static_cast<double>(weights->dims()[0]);
    if (node.op == ir::Op::Gemm || node.op == ir::Op::MatMul)
      fan_in = static_cast<double>(weights->dims()[0]);
    const float factor = static_cast<float>(std::sqrt(5.0 / std::max(fan_in, 1.0)));
    std::vector<float> values = weights->to_floats();
    for (float& value : values) value *= factor;
    graph.value(node.inputs[1]).constant =
        ir::Tensor::of(weights->dims(), values).converted(weights->type());
  }
}

void print_difference(const char* what, const std::vector<ir::Tensor>& got,
                      const std::vector<ir::Tensor>& wanted) {
  for (size_t i = 0; i < got.size(); ++i) {
    const std::vector<float> a = got[i].to_floats(), b = wanted[i].to_floats();
    double difference = 0, norm = 0;
    for (size_t j = 0; j < a.size(); ++j) {
      difference += (a[j] - b[j]) * (a[j] - b[j]);
      norm += b[j] * b[j];
    }
    std::printf("CHECK %s, output %zu: relative L2 difference %.2e (norm %.3g)\n", what, i,
                std::sqrt(difference / norm), std::sqrt(norm));
  }
}

std::vector<ir::Tensor> inputs_of(const ir::Graph& graph) {
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : graph.inputs)
    inputs.push_back(ir::seeded(graph.value(id).type, ir::dims_of(graph.value(id).shape), 5));
  return inputs;
}

/// The plan as an engine without a GPU runs it.
std::vector<ir::Tensor> on_host(const plan::Plan& plan, const std::vector<ir::Tensor>& inputs) {
  run::EngineOptions options;
  options.gpu_device = std::nullopt;
  const run::Engine engine(plan, options);
  run::Context context(engine);
  context.execute(inputs);
  return context.outputs();
}

/// The plan with code for this device, through its file's bytes, as an engine with a GPU runs it.
std::vector<ir::Tensor> through_plan(plan::Plan plan, const std::vector<ir::Tensor>& inputs,
                                     const std::string& timing_cache) {
  tune::CompileOptions options;
  options.timing_cache = timing_cache;
  const auto code = tune::compile(plan.graph, options);
  if (!code) fail("no device code was made");
  const auto bytes = std::make_shared<const std::string>(gpu::to_bytes(*code));
  plan.device_code = {{code->architecture, std::as_bytes(std::span(*bytes)), bytes}};
  const auto file = std::make_shared<const std::string>(plan::to_bytes(plan));
  const run::Engine engine(plan::from_bytes(std::as_bytes(std::span(*file)), file));
  run::Context context(engine);
  context.execute(inputs);
  const run::Timeline timeline = context.execute(inputs);
  size_t on_gpu = 0;
  for (const run::Step& step : engine.steps()) on_gpu += step.processor == run::Processor::Gpu;
  std::printf("PLAN %zu of %zu steps on the GPU; compute %.3f ms, h2d %.3f ms, d2h %.3f ms\n",
              on_gpu, engine.steps().size(), static_cast<double>(timeline.total.count()) * 1e-6,
              static_cast<double>(timeline.h2d.count()) * 1e-6,
              static_cast<double>(timeline.d2h.count()) * 1e-6);
  return context.outputs();
}

bool is_onnx(const std::string& path) {
  return path.size() > 5 && path.substr(path.size() - 5) == ".onnx";
}

/// The network as a plan without device code.
plan::Plan read_network(const Arguments& arguments) {
  if (is_onnx(arguments.network)) {
    build::Options options;
    options.model_path = arguments.network;
    options.fp16 = arguments.fp16;
    options.int8 = arguments.int8;
    options.gpu_device = std::nullopt;
    return build::build(options);
  }
  plan::Plan plan;
  plan.graph = ir::parse(read_file(arguments.network));
  tame_weights(plan.graph);
  return plan;
}

/// Times of single launches, rotating among executions so that inputs do not stay in the cache.
std::vector<double> timed(std::vector<std::unique_ptr<gpu::Execution>>& executions,
                          int iterations) {
  std::vector<double> milliseconds;
  const gpu::Event start, end;
  const double warm_up = 0.3;
  const auto begin = Clock::now();
  while (seconds_since(begin) < warm_up) {
    for (auto& execution : executions) execution->launch(gpu::Execution::Launching::Graph);
    for (auto& execution : executions) execution->stream().synchronize();
  }
  for (int i = 0; i < iterations; ++i) {
    gpu::Execution& execution = *executions[static_cast<size_t>(i) % executions.size()];
    execution.stream().record(start);
    execution.launch(gpu::Execution::Launching::Graph);
    execution.stream().record(end);
    execution.stream().synchronize();
    milliseconds.push_back(gpu::elapsed(start, end).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return milliseconds;
}

void print_steps(const gpu::Program& program, gpu::Execution& execution) {
  std::vector<std::vector<float>> rounds;
  for (int i = 0; i < 7; ++i) {
    rounds.emplace_back();
    for (const auto time : execution.profile()) rounds.back().push_back(time.count());
  }
  double total = 0;
  for (size_t i = 0; i < program.lowered().steps.size(); ++i) {
    const gpu::Step& step = program.lowered().steps[i];
    std::vector<float> times;
    for (const auto& round : rounds) times.push_back(round[i]);
    std::sort(times.begin(), times.end());
    const double us = times[times.size() / 2] * 1e3;
    total += us;
    std::printf("STEP %-20s %8.2f us %7.1f TFLOP/s %7.1f GB/s  %-32s %s\n", step.name.c_str(), us,
                step.operations / us * 1e-6, step.bytes / us * 1e-3, step.tactic.c_str(),
                step.problem.c_str());
  }
  std::printf("STEPS together %.1f us\n", total);
}

/// Tunes @p graph as a build of level 3 does, aloud.
size_t tune_aloud(const ir::Graph& graph, const gpu::Context& context,
                  const gpu::Compiler& compiler, ThreadPool& pool, tune::TimingCache& cache,
                  const Arguments& arguments) {
  const log::Sink before = log::set_sink([&](log::Severity severity, std::string_view text) {
    if (severity != log::Severity::Verbose || arguments.verbose)
      std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  });
  const size_t measured = tune::tune({&graph, 1}, context, compiler, pool, cache, arguments.tuning);
  log::set_sink(before);
  return measured;
}

/// Executions to rotate among, each with inputs of its own.
std::vector<std::unique_ptr<gpu::Execution>> executions_of(const gpu::Program& program,
                                                           const ir::Graph& graph) {
  constexpr uint64_t kCount = 3;
  std::vector<std::unique_ptr<gpu::Execution>> executions;
  for (uint64_t seed = 1; seed <= kCount; ++seed) {
    executions.push_back(std::make_unique<gpu::Execution>(program));
    for (size_t input = 0; input < graph.inputs.size(); ++input) {
      const ir::Value& value = graph.value(graph.inputs[input]);
      const ir::Tensor data = ir::seeded(value.type, ir::dims_of(value.shape), seed);
      executions.back()->upload(input, data.bytes());
      executions.back()->stream().synchronize();
    }
  }
  return executions;
}

int bench(const Arguments& arguments) {
  const plan::Plan plan = read_network(arguments);
  const ir::Graph& graph = plan.graph;
  const gpu::Context context;
  for (const ir::Node& node : graph.nodes)
    if (const auto reason = gpu::why_not(graph, node, context.target()))
      fail("'{}' has no kernel: {}", node.name, *reason);
  ThreadPool pool;
  const gpu::Compiler compiler(context.target().architecture_name(), gpu::default_kernel_cache());
  tune::TimingCache cache;
  if (!arguments.cache.empty()) cache = tune::TimingCache::load(arguments.cache);
  auto start = Clock::now();
  if (arguments.tuning.candidates > 0) {
    const size_t measured = tune_aloud(graph, context, compiler, pool, cache, arguments);
    std::printf("tuned %zu problems in %.1f s\n", measured, seconds_since(start));
    if (!arguments.cache.empty()) cache.save(arguments.cache);
  }
  start = Clock::now();
  const std::string network =
      tune::network_key(tune::lower_apart({&graph, 1}, context.target(), arguments.tuning));
  gpu::Lowered lowered =
      gpu::lower(graph, context.target(),
                 tune::options_from(cache, tune::device_key(context.target()), network));
  const std::vector<gpu::Cubin> code = compiler.compile(gpu::kernels_of(lowered), pool);
  const gpu::Program program(std::move(lowered), code, context);
  std::printf("built in %.2f s; arena %.1f MB, weights %.1f MB, %zu launches\n",
              seconds_since(start), static_cast<double>(program.lowered().arena_bytes) / 1e6,
              static_cast<double>(program.lowered().constant_bytes) / 1e6,
              program.lowered().steps.size());
  auto executions = executions_of(program, graph);
  if (arguments.check) {
    const std::vector<ir::Tensor> inputs = inputs_of(graph);
    const std::vector<ir::Tensor> wanted = on_host(plan, inputs);
    print_difference("kernels", executions[0]->run(inputs), wanted);
    if (is_onnx(arguments.network))
      print_difference("plan", through_plan(plan, inputs, arguments.cache), wanted);
  }
  const std::vector<double> times = timed(executions, arguments.iterations);
  if (arguments.steps) print_steps(program, *executions[1]);
  std::printf("RESULT %s %.4f %.4f\n", arguments.network.c_str(), times[times.size() / 2],
              times.front());
  return 0;
}

}  // namespace
}  // namespace dlaexec

int main(int argc, char** argv) {
  try {
    return dlaexec::bench(dlaexec::parse(argc, argv));
  } catch (const dlaexec::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.fault());
  }
}
