#include "tune/compile.h"

#include <chrono>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "gpu/cut.h"
#include "gpu/program.h"
#include "ir/shape.h"
#include "tune/decisions.h"
#include "tune/problems.h"
#include "tune/timing_cache_file.h"
#include "tune/tuner.h"

namespace dlaexec::tune {
namespace {

/// The parts that the device runs; the log says what the host does, and why.
std::vector<ir::Graph> device_parts(const ir::Graph& graph, const gpu::Target& target) {
  std::vector<ir::Graph> parts;
  std::vector<int> nodes;
  const auto flush = [&] {
    for (const gpu::Run& run : gpu::cut(graph, std::exchange(nodes, {}), target))
      if (run.on_device)
        parts.push_back(ir::extract(graph, run.nodes, graph.name));
      else
        for (size_t i = 0; i < run.nodes.size(); ++i)
          log::verbose("'{}' runs on the host: {}",
                       graph.nodes[static_cast<size_t>(run.nodes[i])].name, run.reasons[i]);
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op == ir::Op::ForeignNode)
      flush();
    else
      nodes.push_back(static_cast<int>(i));
  }
  flush();
  return parts;
}

/// What decisions are taken from, for which device and network.
struct Decisions {
  const TimingCache& cache;
  std::string device, network;
  int64_t workspace_bytes;
  bool full_floats;
};

/// The tactics that @p parts were lowered with, and every kernel they launch.
gpu::Code assemble(const std::vector<ir::Graph>& parts, const gpu::Target& target,
                   const Decisions& decisions, const gpu::Compiler& compiler, ThreadPool& pool) {
  gpu::Code code;
  code.architecture = target.architecture_name();
  std::set<gpu::Kernel> kernels;
  gpu::LowerOptions options = options_from(decisions.cache, decisions.device, decisions.network);
  options.workspace_bytes = decisions.workspace_bytes;
  options.full_floats = code.full_floats = decisions.full_floats;
  int left_out = 0;
  for (const ir::Graph& part : parts) {
    const gpu::Lowered lowered = gpu::lower(part, target, options);
    left_out += lowered.tactics_left_out;
    for (const gpu::Step& step : lowered.steps)
      if (!step.problem.empty()) code.tactics[step.problem] = step.tactic;
    for (const gpu::Choice& choice : lowered.choices)  // of groups that run apart
      code.tactics.try_emplace(choice.problem, choice.chosen);
    for (gpu::Kernel& kernel : gpu::kernels_of(lowered)) kernels.insert(std::move(kernel));
  }
  if (left_out > 0)
    log::info(
        "{} tactics need more scratch memory than --memPoolSize=workspace ({} bytes) and were "
        "left out",
        left_out, decisions.workspace_bytes);
  code.cubins = compiler.compile(std::vector<gpu::Kernel>(kernels.begin(), kernels.end()), pool);
  return code;
}

/// The libraries that are asked for and there, if anything is measured; what is asked for in vain
/// is said.
gpu::Libraries libraries_of(const CompileOptions& options, bool measures) {
  gpu::Libraries libraries;
  for (const gpu::LibraryKind kind : options.libraries) {
    const std::string& reason = gpu::why_no_library(kind);
    if (!measures)
      log::warning(
          "--tacticSources: {} has no part where nothing is measured: without a device, with "
          "--gpuArch, and below --builderOptimizationLevel=2",
          gpu::info(kind).name);
    else if (!reason.empty())
      log::warning("--tacticSources: {}", reason);
    else
      libraries.push_back(gpu::open_library(kind));
  }
  return libraries;
}

/// Without libraries, which are opened once it is known that anything is measured.
TuneOptions tuning_of(const CompileOptions& options) {
  TuneOptions tuning = options_of_level(options.optimization_level);
  tuning.error_on_miss = options.error_on_timing_cache_miss;
  tuning.workspace_bytes = options.workspace_bytes;
  tuning.full_floats = options.full_floats;
  tuning.repetitions = options.repetitions;
  return tuning;
}

/// True if code can be made for the GPU; why not is said to whom it concerns.
bool has_gpu(const CompileOptions& options) {
  const bool cross = !options.architecture.empty();
  if (!cross && !gpu::find_driver().table) {
    log::verbose("GPU steps run on the host: {}", gpu::find_driver().reason);
    if (!options.timing_cache.empty())
      log::info("No GPU tactics are measured for the timing cache: {}", gpu::find_driver().reason);
    if (options.repetitions.are_given())
      log::info("No GPU tactics are measured, as often as --minTiming and --avgTiming say: {}",
                gpu::find_driver().reason);
    return false;
  }
  if (gpu::find_nvrtc().table) return true;
  if (cross) fail("--gpuArch={}: {}", options.architecture, gpu::find_nvrtc().reason);
  log::warning("GPU steps will run on the host: {}", gpu::find_nvrtc().reason);
  return false;
}

std::optional<gpu::Code> compile_with(TimingCache& cache, const ir::Graph& graph,
                                      const CompileOptions& options) {
  if (!has_gpu(options)) return std::nullopt;
  const bool cross = !options.architecture.empty();
  std::optional<gpu::Context> context;
  if (!cross) context.emplace(options.device);
  const gpu::Target target = cross ? gpu::target_of(options.architecture) : context->target();
  const std::vector<ir::Graph> parts = device_parts(graph, target);
  if (parts.empty()) return std::nullopt;

  const auto start = std::chrono::steady_clock::now();
  const gpu::Compiler compiler(target.architecture_name(), gpu::default_kernel_cache());
  ThreadPool pool;
  TuneOptions tuning = tuning_of(options);
  const bool measures = context && tuning.candidates > 0;
  tuning.libraries = libraries_of(options, measures);
  const size_t measured = measures ? tune(parts, *context, compiler, pool, cache, tuning) : 0;
  const std::string device = device_key(target, tuning.libraries);
  gpu::Code code = assemble(parts, target,
                            {cache, device, network_key(lower_apart(parts, target, tuning)),
                             options.workspace_bytes, options.full_floats},
                            compiler, pool);
  code.device = measures ? device : std::string(gpu::kCostModel);
  log::info("GPU code for {} ({}): {} kernels, {} problems measured, in {:.1f} s", target.name,
            code.architecture, code.cubins.size(), measured,
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (cross) log::info("Tactics for {} were chosen by the cost model, not measured", target.name);
  return code;
}

}  // namespace

std::optional<gpu::Code> compile(const ir::Graph& graph, const CompileOptions& options) {
  TimingCacheFile file(options.timing_cache);
  std::optional<gpu::Code> code = compile_with(file.cache(), graph, options);
  file.save();
  return code;
}

}  // namespace dlaexec::tune
