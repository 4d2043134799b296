#include "build/device_code.h"

#include "base/log.h"
#include "tune/compile.h"

namespace dlaexec::build {

std::vector<plan::DeviceCode> compile_for_device(const ir::Graph& graph, const Options& options) {
  if (!options.gpu_device && options.gpu_architecture.empty()) {
    if (!options.timing_cache.empty())
      log::warning("--timingCacheFile is neither read nor written: the host engine has no tactics");
    if (options.repetitions.are_given())
      log::warning("--minTiming and --avgTiming have no effect: the host engine has no tactics");
    return {};
  }
  tune::CompileOptions wanted;
  wanted.device = options.gpu_device.value_or(0);
  wanted.architecture = options.gpu_architecture;
  wanted.optimization_level = options.optimization_level;
  if (options.pools.workspace) wanted.workspace_bytes = *options.pools.workspace;
  wanted.full_floats = !options.tf32;
  wanted.libraries = options.libraries;
  wanted.timing_cache = options.timing_cache;
  wanted.error_on_timing_cache_miss = options.error_on_timing_cache_miss;
  wanted.repetitions = options.repetitions;
  const std::optional<gpu::Code> code = tune::compile(graph, wanted);
  if (!code) return {};
  const auto bytes = std::make_shared<const std::string>(gpu::to_bytes(*code));
  return {{code->architecture, std::as_bytes(std::span(*bytes)), bytes}};
}

}  // namespace dlaexec::build
