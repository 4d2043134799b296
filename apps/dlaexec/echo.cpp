#include "echo.h"

#include "base/format.h"
#include "dla/platform.h"
#include "gpu/device.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

using report::number;

/// The lines, as they are made.
struct Page {
  std::vector<std::string> lines;
  template <class... Args>
  void add(fmt::format_string<Args...> pattern, Args&&... args) {
    lines.push_back(format_text(pattern, fmt::make_format_args(args...)));
  }
};

std::string enabled(bool on) { return on ? "Enabled" : "Disabled"; }

std::string pool_text(std::string_view name, const std::optional<int64_t>& bytes) {
  if (!bytes) return format("{}: default", name);
  return format("{}: {} MiB", name, number(static_cast<float>(*bytes) / (1 << 20)));
}

std::string pools_text(const Settings& settings, const build::Options& options) {
  std::string text = join(std::vector{pool_text("workspace", options.pools.workspace),
                                      pool_text("dlaSRAM", options.pools.dla_sram),
                                      pool_text("dlaLocalDRAM", options.pools.dla_local_dram),
                                      pool_text("dlaGlobalDRAM", options.pools.dla_global_dram)},
                          ", ");
  if (release(settings.dialect()) < 1000) return text;
  const PoolSizes sizes = parse_pools(settings.text(Flag::memPoolSize));
  return text + ", " + pool_text("tacticSharedMem", sizes.tactic_shared_memory);
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
  if (settings.given(Flag::calibData)) return settings.text(Flag::calibData);
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

void echo_formats(Page& page, std::string_view what,
                  const std::vector<place::EdgeFormat>& formats) {
  if (formats.empty()) {
    page.add("{}s format: fp32:CHW", what);
    return;
  }
  for (const place::EdgeFormat& entry : formats)
    page.add("{}: {}", what, to_text(IoFormat{entry.type, entry.formats}));
}

void echo_shapes(Page& page, const build::Options& options) {
  if (options.shapes.empty()) page.add("Input build shapes: model");
  for (const build::InputShape& shape : options.shapes)
    page.add("Input build shape: {}={}+{}+{}", shape.input, ir::to_text(shape.min),
             ir::to_text(shape.opt), ir::to_text(shape.max));
  page.add("Input calibration shapes: model");
}

void echo_model(Page& page, const Settings& settings) {
  page.add("=== Model Options ===");
  page.add("Format: {}", settings.given(Flag::onnx) ? "ONNX" : "*");
  page.add("Model: {}", settings.text(Flag::onnx));
  page.add("Output:");
}

void echo_build(Page& page, const Settings& settings, const Job& job) {
  const build::Options& options = job.build;
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  page.add("=== Build Options ===");
  if (release(settings.dialect()) >= 1000 && !job.load_engine.empty()) return page.add("");
  if (release(settings.dialect()) < 900) page.add("Max batch: explicit batch");
  page.add("Memory Pools: {}", pools_text(settings, options));
  page.add("minTiming: {}", settings.integer(Flag::minTiming));
  page.add("avgTiming: {}", settings.integer(Flag::avgTiming));
  page.add("Precision: {}", precision_text(settings, options));
  page.add("LayerPrecisions: {}", layer_precisions_text(options));
  page.add("Layer Device Types: {}", layer_devices_text(options));
  page.add("Calibration: {}", calibration_text(settings, options));
  page.add("Refit: Disabled");
  page.add("Version Compatible: {}", on(Flag::versionCompatible));
  page.add("ONNX Native InstanceNorm: {}", on(Flag::nativeInstanceNorm));
  page.add("TensorRT runtime: {}", settings.text(Flag::useRuntime));
  page.add("Lean DLL Path: {}", settings.text(Flag::leanDLLPath));
  page.add("Tempfile Controls: {{ in_memory: allow, temporary: allow }}");
  page.add("Exclude Lean Runtime: {}", on(Flag::excludeLeanRuntime));
  const std::string sparsity = settings.text(Flag::sparsity);
  page.add("Sparsity: {}", sparsity == "force" ? "Forced" : enabled(sparsity == "enable"));
  page.add("Safe mode: {}", on(Flag::safe));
  page.add("Build DLA standalone loadable: {}", enabled(job.standalone));
  page.add("Allow GPU fallback for DLA: {}", on(Flag::allowGPUFallback));
  page.add("DirectIO mode: {}", on(Flag::directIO));
  page.add("Restricted mode: {}", on(Flag::restricted));
  page.add("Skip inference: {}", enabled(job.skip_inference));
  page.add("Save engine: {}", job.save_engine);
  page.add("Load engine: {}", job.load_engine);
  page.add("Profiling verbosity: {}", verbosity_number(job.profiling_verbosity));
  page.add("Tactic sources: Using default tactic sources");
  const bool has_cache = settings.given(Flag::timingCacheFile);
  const bool no_cache = settings.on(Flag::noBuilderCache);
  page.add("timingCacheMode: {}", no_cache ? "disable" : has_cache ? "global" : "local");
  page.add("timingCacheFile: {}", settings.text(Flag::timingCacheFile));
  page.add("Heuristic: {}", on(Flag::heuristic));
  page.add("Preview Features: Use default preview flags.");
  page.add("MaxAuxStreams: {}", settings.integer(Flag::maxAuxStreams));
  const bool has_level = settings.given(Flag::builderOptimizationLevel);
  page.add("BuilderOptimizationLevel: {}",
           has_level ? settings.integer(Flag::builderOptimizationLevel) : -1);
  echo_formats(page, "Input(s)", options.input_formats);
  echo_formats(page, "Output(s)", options.output_formats);
  echo_shapes(page, options);
}

void echo_system(Page& page, const Settings& settings, const Job& job) {
  page.add("=== System Options ===");
  page.add("Device: {}", settings.text(Flag::device));
  const auto& core = job.build.dla_core;
  page.add("DLACore: {}", core ? format("{}", *core) : "");
  page.add("Plugins:");
  page.add("setPluginsToSerialize:");
  page.add("dynamicPlugins:");
  page.add("ignoreParsedPluginLibs: 0");
  page.add("");
}

void echo_inference(Page& page, const Settings& settings, const Job& job) {
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  const InferenceOptions& options = job.inference;
  page.add("=== Inference Options ===");
  page.add("Batch: Explicit");
  if (options.shapes.empty()) page.add("Input inference shapes: model");
  for (const NamedDims& shape : options.shapes)
    page.add("Input inference shape: {}={}", shape.name, ir::to_text(shape.dims));
  page.add("Iterations: {}", options.bench.limits.iterations);
  page.add("Duration: {}s (+ {}ms warm up)", settings.text(Flag::duration),
           settings.text(Flag::warmUp));
  page.add("Sleep time: {}ms", settings.text(Flag::sleepTime));
  page.add("Idle time: {}ms", settings.text(Flag::idleTime));
  page.add("Inference Streams: {}", options.streams);
  page.add("ExposeDMA: {}", on(Flag::exposeDMA));
  page.add("Data transfers: {}",
           enabled(!settings.on(Flag::noDataTransfers) || settings.on(Flag::includeDataTransfers)));
  page.add("Spin-wait: {}",
           enabled(settings.on(Flag::useSpinWait) && !settings.on(Flag::noSpinWait)));
  page.add("Multithreading: {}", on(Flag::threads));
  page.add("CUDA Graph: {}",
           enabled(settings.on(Flag::useCudaGraph) && !settings.on(Flag::noCudaGraph)));
  page.add("Separate profiling: {}", on(Flag::separateProfileRun));
  page.add("Time Deserialize: {}", on(Flag::timeDeserialize));
  page.add("Time Refit: Disabled");
  page.add("NVTX verbosity: {}", verbosity_number(job.profiling_verbosity));
  page.add("Persistent Cache Ratio: {}", settings.text(Flag::persistentCacheRatio));
  page.add("Inputs:");
  for (const NamedFile& input : options.inputs) page.add("{}<-{}", input.name, input.path);
}

void echo_reporting(Page& page, const Settings& settings, const Job& job) {
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  page.add("=== Reporting Options ===");
  page.add("Verbose: {}", on(Flag::verbose));
  page.add("Averages: {} inferences", job.average_runs);
  page.add("Percentiles: {}", join(job.percentiles, ",", [](float p) { return number(p); }));
  page.add("Dump refittable layers:{}", on(Flag::dumpRefit));
  page.add("Dump output: {}", on(Flag::dumpOutput));
  page.add("Profile: {}", on(Flag::dumpProfile));
  page.add("Export timing to JSON file: {}", settings.text(Flag::exportTimes));
  page.add("Export output to JSON file: {}", settings.text(Flag::exportOutput));
  page.add("Export profile to JSON file: {}", settings.text(Flag::exportProfile));
  page.add("");
}

/// The CUDA device that the job uses; without one, the host engine in its place.
void echo_processor(Page& page, const Job& job, const report::Machine& machine) {
  if (!job.build.gpu_device || !gpu::find_driver().table) {
    page.add("Selected Device: host engine on {}", machine.cpu);
    return;
  }
  const gpu::DeviceFacts facts = gpu::facts_of(*job.build.gpu_device);
  page.add("Selected Device: {}", facts.name);
  page.add("Compute Capability: {}.{}", facts.major, facts.minor);
  page.add("SMs: {}", facts.multiprocessors);
  page.add("Device Global Memory: {} MiB", facts.memory_bytes >> 20);
  page.add("Shared Memory per SM: {} KiB", facts.shared_bytes >> 10);
  page.add("Memory Bus Width: {} bits (ECC {})", facts.bus_bits,
           facts.corrects_errors ? "enabled" : "disabled");
  page.add("Application Compute Clock Rate: {} GHz",
           number(static_cast<float>(facts.clock_khz) / 1e6f));
  page.add("Application Memory Clock Rate: {} GHz",
           number(static_cast<float>(facts.memory_clock_khz) / 1e6f));
  page.add("");
  page.add(
      "Note: The application clock rates do not reflect the actual clock rates that the GPU is "
      "currently running at.");
}

void echo_device(Page& page, const Job& job, const report::Machine& machine) {
  page.add("=== Device Information ===");
  echo_processor(page, job, machine);
  page.add("Host Cores: {}", machine.cores);
  page.add("Host Memory: {} MiB", machine.memory_bytes >> 20);
  if (job.build.dla_core) {
    const dla::Platform& platform = dla::platform(job.build.platform);
    const dla::PowerMode& mode = dla::power_mode(platform, job.build.power_mode);
    page.add("Emulated DLA: {} core {} at {} MHz (power mode {})", platform.title,
             *job.build.dla_core, mode.dla_mhz, mode.name);
  }
  page.add("");
  page.add("dlaexec version: {}", DLAEXEC_VERSION);
}

}  // namespace

std::vector<std::string> echo_lines(const Settings& settings, const Job& job,
                                    const report::Machine& machine) {
  Page page;
  echo_model(page, settings);
  echo_build(page, settings, job);
  echo_system(page, settings, job);
  echo_inference(page, settings, job);
  echo_reporting(page, settings, job);
  echo_device(page, job, machine);
  return std::move(page.lines);
}

}  // namespace dlaexec::cli
