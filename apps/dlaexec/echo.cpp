#include "echo.h"

#include <cctype>

#include "base/format.h"
#include "dla/platform.h"
#include "gpu/device.h"
#include "ir/type_flags.h"
#include "report/text.h"
#include "tactic_sources.h"

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
    return format("{}:{}", entry.first, ir::flag_text(entry.second));
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

void echo_shapes(Page& page, const Settings& settings, const build::Options& options) {
  if (options.shapes.empty()) page.add("Input build shapes: model");
  for (const build::InputShape& shape : options.shapes)
    page.add("Input build shape: {}={}+{}+{}", shape.input, ir::to_text(shape.min),
             ir::to_text(shape.opt), ir::to_text(shape.max));
  const auto given = parse_shapes(settings.text(Flag::optShapesCalib), "--optShapesCalib");
  if (given.empty()) page.add("Input calibration shapes: model");
  for (const NamedDims& shape : given) {
    const std::string dims = ir::to_text(shape.dims);
    page.add("Input calibration shape: {}={}+{}+{}", shape.name, dims, dims, dims);
  }
}

/// "cublas [ON], cudnn [OFF], " with a comma behind the last one too, as trtexec prints it.
std::string switches_text(const std::vector<SignedName>& entries,
                          std::string (*text)(const std::string&)) {
  std::string line;
  for (const SignedName& entry : entries)
    line += format("{} [{}], ", text(entry.name), entry.on ? "ON" : "OFF");
  return line;
}

std::string tactic_sources_text(const Settings& settings) {
  const auto lower = [](const std::string& name) {
    std::string text = name;
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  };
  const auto entries = tactic_sources(settings);
  return entries.empty() ? "Using default tactic sources" : switches_text(entries, lower);
}

std::string preview_text(const Settings& settings) {
  static constexpr std::pair<std::string_view, std::string_view> kFeatures[] = {
      {"fasterDynamicShapes0805", "kFASTER_DYNAMIC_SHAPES_0805"},
      {"disableExternalTacticSourcesForCore0805", "kDISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805"},
      {"profileSharing0806", "kPROFILE_SHARING_0806"},
      {"aliasedPluginIO1003", "kALIASED_PLUGIN_IO_10_03"},
      {"runtimeActivationResize", "kRUNTIME_ACTIVATION_RESIZE_10_10"},
      {"multiDeviceRuntime", "kMULTIDEVICE_RUNTIME_10_16"}};
  std::vector<std::string_view> names;
  for (const auto& feature : kFeatures) names.push_back(feature.first);
  const auto title = [](const std::string& name) {
    for (const auto& feature : kFeatures)
      if (feature.first == name) return std::string(feature.second);
    return name;
  };
  const auto entries = parse_signed(settings.text(Flag::preview), "--preview", names);
  return entries.empty() ? "Use default preview flags." : switches_text(entries, title);
}

std::string temporary_files_text(const Settings& settings) {
  const auto word = [](bool allowed) { return allowed ? "allow" : "deny"; };
  const TemporaryFiles files = parse_temporary_files(settings.text(Flag::tempfileControls));
  return format("{{ in_memory: {}, temporary: {} }}", word(files.in_memory), word(files.temporary));
}

void echo_model(Page& page, const Settings& settings) {
  page.add("=== Model Options ===");
  page.add("Format: {}", settings.given(Flag::onnx) ? "ONNX" : "*");
  page.add("Model: {}", settings.text(Flag::onnx));
  page.add("Output:");
}

/// The build options behind those of precision and devices: files, tactics, edges and shapes.
void echo_build_search(Page& page, const Settings& settings, const Job& job) {
  const build::Options& options = job.build;
  page.add("Save engine: {}", job.save_engine);
  page.add("Load engine: {}", job.load_engine);
  page.add("Profiling verbosity: {}", verbosity_number(job.profiling_verbosity));
  page.add("Tactic sources: {}", tactic_sources_text(settings));
  const bool has_cache = settings.given(Flag::timingCacheFile);
  const bool no_cache = settings.on(Flag::noBuilderCache);
  page.add("timingCacheMode: {}", no_cache ? "disable" : has_cache ? "global" : "local");
  page.add("timingCacheFile: {}", settings.text(Flag::timingCacheFile));
  page.add("Heuristic: {}", enabled(settings.on(Flag::heuristic)));
  page.add("Preview Features: {}", preview_text(settings));
  page.add("MaxAuxStreams: {}", settings.integer(Flag::maxAuxStreams));
  const bool has_level = settings.given(Flag::builderOptimizationLevel);
  page.add("BuilderOptimizationLevel: {}",
           has_level ? settings.integer(Flag::builderOptimizationLevel) : -1);
  echo_formats(page, "Input(s)", options.input_formats);
  echo_formats(page, "Output(s)", options.output_formats);
  echo_shapes(page, settings, options);
}

void echo_build(Page& page, const Settings& settings, const Job& job) {
  const build::Options& options = job.build;
  const auto on = [&](Flag flag) { return enabled(settings.on(flag)); };
  page.add("=== Build Options ===");
  if (release(settings.dialect()) >= 1000 && !job.load_engine.empty()) return page.add("");
  if (release(settings.dialect()) < 900) page.add("Max batch: explicit batch");
  page.add("Memory Pools: {}", pools_text(settings, options));
  // trtexec's defaults stand where the tuner chooses.
  page.add("minTiming: {}",
           settings.given(Flag::minTiming) ? settings.integer(Flag::minTiming) : 1);
  page.add("avgTiming: {}",
           settings.given(Flag::avgTiming) ? settings.integer(Flag::avgTiming) : 8);
  page.add("Precision: {}", precision_text(settings, options));
  page.add("LayerPrecisions: {}", layer_precisions_text(options));
  page.add("Layer Device Types: {}", layer_devices_text(options));
  page.add("Calibration: {}", calibration_text(settings, options));
  page.add("Refit: Disabled");
  page.add("Version Compatible: {}", on(Flag::versionCompatible));
  page.add("ONNX Native InstanceNorm: {}", on(Flag::nativeInstanceNorm));
  page.add("TensorRT runtime: {}", settings.text(Flag::useRuntime));
  page.add("Lean DLL Path: {}", settings.text(Flag::leanDLLPath));
  page.add("Tempfile Controls: {}", temporary_files_text(settings));
  page.add("Exclude Lean Runtime: {}", on(Flag::excludeLeanRuntime));
  const std::string sparsity = settings.text(Flag::sparsity);
  page.add("Sparsity: {}", sparsity == "force" ? "Forced" : enabled(sparsity == "enable"));
  page.add("Safe mode: {}", on(Flag::safe));
  page.add("Build DLA standalone loadable: {}", enabled(job.standalone));
  page.add("Allow GPU fallback for DLA: {}", on(Flag::allowGPUFallback));
  page.add("DirectIO mode: {}", on(Flag::directIO));
  page.add("Restricted mode: {}", on(Flag::restricted));
  page.add("Skip inference: {}", enabled(job.skip_inference));
  echo_build_search(page, settings, job);
}

void echo_system(Page& page, const Settings& settings, const Job& job) {
  page.add("=== System Options ===");
  page.add("Device: {}", settings.text(Flag::device));
  const auto& core = job.build.dla_core;
  page.add("DLACore: {}", core ? format("{}", *core) : "");
  page.add("{}", release(settings.dialect()) >= 1000 ? "Loaded static plugins:" : "Plugins:");
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
  if (release(settings.dialect()) >= 1000) {
    page.add("Optimization Profile Index: {}", settings.integer(Flag::useProfile));
    page.add("Weight Streaming Budget: Disabled");
  }
  page.add("Inputs:");
  for (const NamedFile& input : options.inputs) page.add("{}<-{}", input.name, input.path);
  if (release(settings.dialect()) >= 1000) page.add("Debug Tensor Save Destinations:");
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

/// The CUDA device that the job uses; none: the host engine takes its place.
std::optional<gpu::DeviceFacts> device_of(const Job& job) {
  if (!job.build.gpu_device || !gpu::find_driver().table) return std::nullopt;
  return gpu::facts_of(*job.build.gpu_device);
}

/// How the device is introduced; from 10.0 on with its UUID.
void echo_selection(Page& page, const std::string& name, int id, const std::string& uuid,
                    int release) {
  if (release >= 1000) {
    page.add("Available Devices: ");
    page.add("  Device {}: \"{}\" UUID: {}", id, name, uuid);
  }
  page.add("Selected Device: {}", name);
  if (release < 1000) return;
  page.add("Selected Device ID: {}", id);
  page.add("Selected Device UUID: {}", uuid);
}

void echo_facts(Page& page, const gpu::DeviceFacts& facts) {
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

void echo_device(Page& page, const Settings& settings, const Job& job,
                 const report::Machine& machine, Persona persona) {
  page.add("=== Device Information ===");
  const std::optional<gpu::DeviceFacts> device = device_of(job);
  const std::string name = device ? device->name : format("host engine on {}", machine.cpu);
  echo_selection(page, name, job.build.gpu_device.value_or(0), device ? device->uuid : "none",
                 release(settings.dialect()));
  if (device) echo_facts(page, *device);
  page.add("Host Cores: {}", machine.cores);
  page.add("Host Memory: {} MiB", machine.memory_bytes >> 20);
  if (job.build.dla_core) {
    const dla::Platform& platform = dla::platform(job.build.platform);
    const dla::PowerMode& mode = dla::power_mode(platform, job.build.power_mode);
    page.add("Emulated DLA: {} core {} at {} MHz (power mode {})", platform.title,
             *job.build.dla_core, mode.dla_mhz, mode.name);
  }
  page.add("");
  if (persona == Persona::Trtexec) page.add("TensorRT version: {}", full_name(settings.dialect()));
  page.add("dlaexec version: {}", DLAEXEC_VERSION);
}

}  // namespace

std::vector<std::string> echo_lines(const Settings& settings, const Job& job,
                                    const report::Machine& machine, Persona persona) {
  Page page;
  echo_model(page, settings);
  echo_build(page, settings, job);
  echo_system(page, settings, job);
  echo_inference(page, settings, job);
  echo_reporting(page, settings, job);
  echo_device(page, settings, job, machine, persona);
  return std::move(page.lines);
}

}  // namespace dlaexec::cli
