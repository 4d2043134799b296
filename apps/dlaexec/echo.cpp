#include "echo.h"

#include "base/log.h"
#include "dla/platform.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

using report::number;

std::string enabled(bool on) { return on ? "Enabled" : "Disabled"; }

std::string pool_text(std::string_view name, const std::optional<int64_t>& bytes) {
  if (!bytes) return format("{}: default", name);
  return format("{}: {} MiB", name, number(static_cast<float>(*bytes) / (1 << 20)));
}

std::string precision_text(const Settings& settings, const build::Options& options) {
  std::string text = "FP32";
  if (options.fp16) text += "+FP16";
  if (options.int8) text += "+INT8";
  const std::string constraints = settings.text(Flag::precisionConstraints);
  if (constraints != "none") text += format(" ({} precision constraints)", constraints);
  return text;
}

std::string calibration_text(const Settings& settings, const build::Options& options) {
  if (!options.int8) return "";
  return settings.given(Flag::calib) ? settings.text(Flag::calib) : "Dynamic";
}

std::string layer_precisions_text(const build::Options& options) {
  return join(options.layer_precisions, ",", [](const auto& entry) {
    return format("{}:{}", entry.first, flag_text(entry.second));
  });
}

std::string layer_devices_text(const build::Options& options) {
  return join(options.layer_devices, ", ", [](const auto& entry) {
    return format("{}:{}", entry.first, entry.second == ir::Device::Dla ? "DLA" : "GPU");
  });
}

/// TensorRT's number of the verbosity.
int verbosity_number(const std::string& verbosity) {
  if (verbosity == "none") return 1;
  return verbosity == "detailed" ? 2 : 0;
}

void echo_formats(std::string_view what, const std::vector<place::EdgeFormat>& formats) {
  if (formats.empty()) {
    log::info("{}s format: fp32:CHW", what);
    return;
  }
  for (const place::EdgeFormat& entry : formats)
    log::info("{}: {}", what, to_text(IoFormat{entry.type, entry.formats}));
}

void echo_shapes(const build::Options& options) {
  if (options.shapes.empty()) log::info("Input build shapes: model");
  for (const build::InputShape& shape : options.shapes)
    log::info("Input build shape: {}={}+{}+{}", shape.input, ir::to_text(shape.min),
              ir::to_text(shape.opt), ir::to_text(shape.max));
  log::info("Input calibration shapes: model");
}

void echo_model(const Settings& settings) {
  log::info("=== Model Options ===");
  log::info("Format: {}", settings.given(Flag::onnx) ? "ONNX" : "*");
  log::info("Model: {}", settings.text(Flag::onnx));
  log::info("Output:");
}

void echo_build(const Settings& settings, const Job& job) {
  const build::Options& options = job.build;
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  log::info("=== Build Options ===");
  log::info("Max batch: explicit batch");
  log::info("Memory Pools: {}, {}, {}, {}", pool_text("workspace", options.pools.workspace),
            pool_text("dlaSRAM", options.pools.dla_sram),
            pool_text("dlaLocalDRAM", options.pools.dla_local_dram),
            pool_text("dlaGlobalDRAM", options.pools.dla_global_dram));
  log::info("minTiming: {}", settings.integer(Flag::minTiming));
  log::info("avgTiming: {}", settings.integer(Flag::avgTiming));
  log::info("Precision: {}", precision_text(settings, options));
  log::info("LayerPrecisions: {}", layer_precisions_text(options));
  log::info("Layer Device Types: {}", layer_devices_text(options));
  log::info("Calibration: {}", calibration_text(settings, options));
  log::info("Refit: Disabled");
  log::info("Version Compatible: {}", on(Flag::versionCompatible));
  log::info("ONNX Native InstanceNorm: {}", on(Flag::nativeInstanceNorm));
  log::info("TensorRT runtime: {}", settings.text(Flag::useRuntime));
  log::info("Lean DLL Path: {}", settings.text(Flag::leanDLLPath));
  log::info("Tempfile Controls: {{ in_memory: allow, temporary: allow }}");
  log::info("Exclude Lean Runtime: {}", on(Flag::excludeLeanRuntime));
  const std::string sparsity = settings.text(Flag::sparsity);
  log::info("Sparsity: {}", sparsity == "force" ? "Forced" : enabled(sparsity == "enable"));
  log::info("Safe mode: {}", on(Flag::safe));
  log::info("Build DLA standalone loadable: {}", enabled(job.standalone));
  log::info("Allow GPU fallback for DLA: {}", on(Flag::allowGPUFallback));
  log::info("DirectIO mode: {}", on(Flag::directIO));
  log::info("Restricted mode: {}", on(Flag::restricted));
  log::info("Skip inference: {}", enabled(job.skip_inference));
  log::info("Save engine: {}", job.save_engine);
  log::info("Load engine: {}", job.load_engine);
  log::info("Profiling verbosity: {}", verbosity_number(job.profiling_verbosity));
  log::info("Tactic sources: Using default tactic sources");
  const bool has_cache = settings.given(Flag::timingCacheFile);
  const bool no_cache = settings.on(Flag::noBuilderCache);
  log::info("timingCacheMode: {}", no_cache ? "disable" : has_cache ? "global" : "local");
  log::info("timingCacheFile: {}", settings.text(Flag::timingCacheFile));
  log::info("Heuristic: {}", on(Flag::heuristic));
  log::info("Preview Features: Use default preview flags.");
  log::info("MaxAuxStreams: {}", settings.integer(Flag::maxAuxStreams));
  const bool has_level = settings.given(Flag::builderOptimizationLevel);
  log::info("BuilderOptimizationLevel: {}",
            has_level ? settings.integer(Flag::builderOptimizationLevel) : -1);
  echo_formats("Input(s)", options.input_formats);
  echo_formats("Output(s)", options.output_formats);
  echo_shapes(options);
}

void echo_system(const Settings& settings, const Job& job) {
  log::info("=== System Options ===");
  log::info("Device: {}", settings.text(Flag::device));
  const auto& core = job.build.dla_core;
  log::info("DLACore: {}", core ? format("{}", *core) : "");
  log::info("Plugins:");
  log::info("setPluginsToSerialize:");
  log::info("dynamicPlugins:");
  log::info("ignoreParsedPluginLibs: 0");
  log::info("");
}

void echo_inference(const Settings& settings, const Job& job) {
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  const InferenceOptions& options = job.inference;
  log::info("=== Inference Options ===");
  log::info("Batch: Explicit");
  if (options.shapes.empty()) log::info("Input inference shapes: model");
  for (const NamedDims& shape : options.shapes)
    log::info("Input inference shape: {}={}", shape.name, ir::to_text(shape.dims));
  log::info("Iterations: {}", options.bench.limits.iterations);
  log::info("Duration: {}s (+ {}ms warm up)", settings.text(Flag::duration),
            settings.text(Flag::warmUp));
  log::info("Sleep time: {}ms", settings.text(Flag::sleepTime));
  log::info("Idle time: {}ms", settings.text(Flag::idleTime));
  log::info("Inference Streams: {}", options.streams);
  log::info("ExposeDMA: {}", on(Flag::exposeDMA));
  log::info("Data transfers: {}", enabled(!settings.on(Flag::noDataTransfers)));
  log::info("Spin-wait: {}", on(Flag::useSpinWait));
  log::info("Multithreading: {}", on(Flag::threads));
  log::info("CUDA Graph: {}", on(Flag::useCudaGraph));
  log::info("Separate profiling: {}", on(Flag::separateProfileRun));
  log::info("Time Deserialize: {}", on(Flag::timeDeserialize));
  log::info("Time Refit: Disabled");
  log::info("NVTX verbosity: {}", verbosity_number(job.profiling_verbosity));
  log::info("Persistent Cache Ratio: {}", settings.text(Flag::persistentCacheRatio));
  log::info("Inputs:");
  for (const NamedFile& input : options.inputs) log::info("{}<-{}", input.name, input.path);
}

void echo_reporting(const Settings& settings, const Job& job) {
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  log::info("=== Reporting Options ===");
  log::info("Verbose: {}", on(Flag::verbose));
  log::info("Averages: {} inferences", job.average_runs);
  log::info("Percentiles: {}", join(job.percentiles, ",", [](float p) { return number(p); }));
  log::info("Dump refittable layers:{}", on(Flag::dumpRefit));
  log::info("Dump output: {}", on(Flag::dumpOutput));
  log::info("Profile: {}", on(Flag::dumpProfile));
  log::info("Export timing to JSON file: {}", settings.text(Flag::exportTimes));
  log::info("Export output to JSON file: {}", settings.text(Flag::exportOutput));
  log::info("Export profile to JSON file: {}", settings.text(Flag::exportProfile));
  log::info("");
}

void echo_device(const Job& job, const report::Machine& machine) {
  log::info("=== Device Information ===");
  log::info("Selected Device: host engine on {}", machine.cpu);
  log::info("Host Cores: {}", machine.cores);
  log::info("Host Memory: {} MiB", machine.memory_bytes >> 20);
  if (job.build.dla_core) {
    const dla::Platform& platform = dla::platform(job.build.platform);
    const dla::PowerMode& mode = dla::power_mode(platform, job.build.power_mode);
    log::info("Emulated DLA: {} core {} at {} MHz (power mode {})", platform.title,
              *job.build.dla_core, mode.dla_mhz, mode.name);
  }
  log::info("");
  log::info("dlaexec version: {}", DLAEXEC_VERSION);
}

}  // namespace

void echo_options(const Settings& settings, const Job& job, const report::Machine& machine) {
  echo_model(settings);
  echo_build(settings, job);
  echo_system(settings, job);
  echo_inference(settings, job);
  echo_reporting(settings, job);
  echo_device(job, machine);
}

}  // namespace dlaexec::cli
