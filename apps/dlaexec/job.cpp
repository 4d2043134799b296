#include "job.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "build/standalone.h"
#include "calibration.h"
#include "dla/platform.h"
#include "profiles.h"
#include "tactic_sources.h"
#include "what_if.h"

namespace dlaexec::cli {
namespace {

bool uses_dla(const Settings& settings) { return settings.integer(Flag::useDLACore) >= 0; }

/// --safe with a DLA core means a standalone loadable, as in trtexec.
bool is_standalone(const Settings& settings) {
  return settings.on(Flag::buildDLAStandalone) || (settings.on(Flag::safe) && uses_dla(settings));
}

void check_model(const Settings& settings) {
  if (!settings.given(Flag::onnx) && !settings.given(Flag::loadEngine) &&
      !settings.given(Flag::runLoadable))
    fail(Fault::Usage,
         "there is no model; give --onnx=FILE to build, --loadEngine=PLAN or --runLoadable=FILE to "
         "run");
  if (settings.given(Flag::runLoadable) &&
      (settings.given(Flag::loadEngine) || settings.given(Flag::onnx) ||
       settings.given(Flag::saveEngine)))
    fail(Fault::Usage,
         "--runLoadable runs a finished loadable; leave out --onnx, --loadEngine and --saveEngine "
         "with it");
  if (settings.given(Flag::loadEngine) && settings.given(Flag::saveEngine))
    fail(Fault::Usage, "--loadEngine and --saveEngine exclude each other; give one of them");
  if (settings.on(Flag::skipBuild) &&
      (!settings.given(Flag::explain) || !settings.given(Flag::onnx)))
    fail(Fault::Usage,
         "--skipBuild leaves nothing to do; give --onnx=FILE and --explain[=FILE] with it");
  if (settings.on(Flag::safe) && !uses_dla(settings))
    fail(Fault::Usage, "--safe is not supported without a DLA; give --useDLACore=N with it");
}

/// A finished plan was built with options of its own.
void warn_of_vain_build(const Settings& settings) {
  constexpr Flag kOfPlans[] = {Flag::loadEngine, Flag::getPlanVersionOnly};
  std::vector<std::string> vain;
  for (const Given& given : settings.in_order()) {
    const FlagInfo& flag = info(given.flag);
    const bool of_plans = std::count(std::begin(kOfPlans), std::end(kOfPlans), given.flag) != 0;
    const bool builds = flag.group == Group::Build || given.flag == Flag::onnx;
    if (builds && !of_plans && flag.effect <= Effect::Old && given.value != "false")
      vain.push_back(spelling(given.flag));
  }
  if (!vain.empty())
    log::warning("{} {} no effect: {} runs a plan that is built already", join(vain, ", "),
                 vain.size() == 1 ? "has" : "have",
                 settings.given(Flag::loadEngine) ? "--loadEngine" : "--runLoadable");
}

void warn_of_vain_flags(const Settings& settings) {
  const bool loads = settings.given(Flag::loadEngine) || settings.given(Flag::runLoadable);
  const bool judges = settings.given(Flag::compareTo) || settings.given(Flag::validate);
  if (loads && !judges) warn_of_vain_build(settings);  // judging takes the model and its samples
  const bool constrained = settings.text(Flag::precisionConstraints) != "none";
  const bool listed =
      settings.given(Flag::layerPrecisions) || settings.given(Flag::layerOutputTypes);
  if (constrained && !listed)
    log::warning(
        "--precisionConstraints has no effect without --layerPrecisions or --layerOutputTypes");
  if (!constrained && listed)
    log::warning(
        "--layerPrecisions and --layerOutputTypes have no effect while "
        "--precisionConstraints is none; give prefer or obey");
  warn_of_vain_calibration(settings);
  warn_of_tactic_sources(settings);
  if (settings.on(Flag::adjustForDLA) && !uses_dla(settings))
    log::warning("--adjustForDLA has no effect without --useDLACore");
  if (settings.on(Flag::allowGPUFallback) && !uses_dla(settings))
    log::warning("--allowGPUFallback has no effect without --useDLACore");
  if (settings.on(Flag::dlaTimingOnly) &&
      (settings.on(Flag::dumpOutput) || settings.given(Flag::exportOutput)))
    log::warning("--dlaTimingOnly computes no DLA outputs: what is dumped or exported is zeros");
  if (settings.on(Flag::int8) && !settings.on(Flag::fp16) && !uses_dla(settings))
    log::info(
        "FP32 and INT8 precisions have been specified - more layers can be fast with --fp16 "
        "or --best");
}

/// trtexec 11 takes the types of inputs and outputs from the network.
IoTypes io_types(const Settings& settings) {
  return release(settings.dialect()) >= 1100 ? IoTypes::FromNetwork : IoTypes::Given;
}

std::vector<place::EdgeFormat> build_formats(const Settings& settings, Flag flag) {
  std::vector<place::EdgeFormat> formats;
  const IoTypes types = io_types(settings);
  for (const IoFormat& entry : parse_io_formats(settings.text(flag), spelling(flag), types))
    formats.push_back({entry.type, entry.formats});
  return formats;
}

/// --dlaSRAM, which changes how a loadable is compiled.
int64_t sram_of(const Settings& settings, const PoolSizes& sizes) {
  if (sizes.dla_sram)
    fail(Fault::Usage, "--dlaSRAM and --memPoolSize=dlaSRAM say the same; give one of them");
  if (!settings.given(Flag::onnx))
    fail(Fault::Usage,
         "--dlaSRAM changes what the DLA compiler makes; give --onnx=FILE with it, not a finished "
         "plan");
  return parse_size(settings.text(Flag::dlaSRAM), "--dlaSRAM");
}

build::MemoryPools build_pools(const Settings& settings) {
  const bool counted = settings.dialect() == Dialect::Union || release(settings.dialect()) >= 1003;
  const PoolSizes sizes =
      parse_pools(settings.text(Flag::memPoolSize), counted ? Units::Counted : Units::Ignored);
  build::MemoryPools pools;
  pools.workspace = sizes.workspace;
  pools.dla_sram = sizes.dla_sram;
  if (settings.given(Flag::dlaSRAM)) pools.dla_sram = sram_of(settings, sizes);
  pools.dla_local_dram = sizes.dla_local_dram;
  pools.dla_global_dram = sizes.dla_global_dram;
  if (!pools.workspace && settings.given(Flag::workspace))
    pools.workspace = settings.integer(Flag::workspace) << 20;
  return pools;
}

std::optional<dla::Edition> rules_of(const Settings& settings) {
  if (!settings.given(Flag::dlaRules)) return std::nullopt;
  return ir::parse_enum<dla::Edition>(settings.text(Flag::dlaRules));
}

std::optional<int> core_of(const Settings& settings) {
  if (!uses_dla(settings)) return std::nullopt;
  const dla::Platform& platform = dla::platform(settings.text(Flag::platform));
  const auto core =
      static_cast<int>(std::min<int64_t>(settings.integer(Flag::useDLACore), 1 << 20));
  dla::require_core(platform, dla::power_mode(platform, power_mode(settings)), core);
  return core;
}

/// The CUDA device, or nothing for the host engine.
std::optional<int> gpu_of(const Settings& settings) {
  if (settings.text(Flag::device) == "cpu") return std::nullopt;
  return static_cast<int>(std::min<int64_t>(settings.integer(Flag::device), 1 << 10));
}

/// How often the builder is to repeat something; nothing where that is left to it.
std::optional<int> repetitions(const Settings& settings, Flag flag) {
  constexpr int64_t kMost = 10000;  // launches of an average are recorded as one graph
  if (!settings.given(flag)) return std::nullopt;
  const int64_t count = settings.integer(flag);
  if (count > kMost) fail(Fault::Usage, "{} is {}; give 1 to {}", spelling(flag), count, kMost);
  return static_cast<int>(count);
}

/// What the builder's search for GPU tactics goes by.
void set_tuning(build::Options& options, const Settings& settings) {
  options.gpu_device = gpu_of(settings);
  options.gpu_architecture = settings.text(Flag::gpuArch);
  options.optimization_level = static_cast<int>(settings.integer(Flag::builderOptimizationLevel));
  options.tf32 = !settings.on(Flag::noTF32);
  options.libraries = libraries_of(settings);
  if (!settings.on(Flag::noBuilderCache))
    options.timing_cache = settings.text(Flag::timingCacheFile);
  options.error_on_timing_cache_miss = settings.on(Flag::errorOnTimingCacheMiss);
  options.repetitions = {repetitions(settings, Flag::minTiming),
                         repetitions(settings, Flag::avgTiming)};
}

build::Options build_options(const Settings& settings) {
  build::Options options;
  const std::string model = settings.text(Flag::onnx);
  options.model_path = model == "-" ? "/dev/stdin" : model;
  options.fp16 = settings.on(Flag::fp16) || settings.on(Flag::best);
  options.int8 = settings.on(Flag::int8) || settings.on(Flag::best);
  options.constraints =
      ir::parse_enum<quant::Constraints>(settings.text(Flag::precisionConstraints)).value();
  for (auto& [layer, type] : parse_layer_precisions(settings.text(Flag::layerPrecisions)))
    options.layer_precisions[layer] = type;
  for (auto& [layer, types] : parse_layer_output_types(settings.text(Flag::layerOutputTypes)))
    options.layer_output_types[layer] = types;
  for (auto& [layer, device] : parse_layer_devices(settings.text(Flag::layerDeviceTypes)))
    options.layer_devices[layer] = device;
  options.platform = settings.text(Flag::platform);
  options.power_mode = power_mode(settings);
  options.dla_core = core_of(settings);
  set_ranges(options, settings);
  options.gpu_fallback = settings.on(Flag::allowGPUFallback);
  options.dla_rules = rules_of(settings);
  options.subgraph_order =
      ir::parse_enum<place::SubgraphOrder>(settings.text(Flag::dlaSubgraphOrder)).value();
  options.adjust_for_dla = settings.on(Flag::adjustForDLA);
  options.sparsity = ir::parse_enum<build::Sparsity>(settings.text(Flag::sparsity)).value();
  options.pools = build_pools(settings);
  set_tuning(options, settings);
  options.input_formats = build_formats(settings, Flag::inputIOFormats);
  options.output_formats = build_formats(settings, Flag::outputIOFormats);
  if (io_types(settings) == IoTypes::FromNetwork) options.edge_types = build::EdgeTypes::OfModel;
  options.direct_io = settings.on(Flag::directIO);
  options.shapes = build_shapes(settings);
  return options;
}

/// How many DLA cores the streams and the engines beside them keep busy.
int busy_cores(const Settings& settings) {
  const int64_t cores = settings.integer(Flag::dlaCores);
  if (settings.given(Flag::dlaCores)) {
    const dla::Platform& platform = dla::platform(settings.text(Flag::platform));
    const dla::PowerMode& mode = dla::power_mode(platform, power_mode(settings));
    if (cores > mode.dla_cores)
      fail(Fault::Usage, "--dlaCores is {}; {} in power mode {} has {}", cores, platform.name,
           mode.name, mode.dla_cores);
  }
  const auto beside = static_cast<int64_t>(split_list(settings.text(Flag::besideEngine)).size());
  return static_cast<int>(std::min(settings.integer(Flag::infStreams) + beside, cores));
}

run::BoardOptions board_options(const Settings& settings) {
  run::BoardOptions options;
  options.dla_core = core_of(settings);
  if (settings.given(Flag::platform)) options.platform = settings.text(Flag::platform);
  options.power_mode = power_mode(settings);
  if (settings.given(Flag::dlaClock)) options.dla_mhz = dla_clocks(settings).front();
  if (settings.given(Flag::dramBandwidth))
    options.dram_gb_per_s = dram_bandwidths(settings).front();
  options.busy_cores = busy_cores(settings);
  return options;
}

run::EngineOptions engine_options(const Settings& settings) {
  if (settings.on(Flag::dlaTimingOnly) && settings.on(Flag::noDlaReplay))
    fail(Fault::Usage,
         "--dlaTimingOnly emulates nothing and --noDlaReplay emulates always; give one of them");
  run::EngineOptions options;
  options.gpu_device = gpu_of(settings);
  options.managed_memory = settings.on(Flag::useManagedMemory);
  options.data_transfers =
      !settings.on(Flag::noDataTransfers) || settings.on(Flag::includeDataTransfers);
  if (settings.on(Flag::dlaTimingOnly)) options.dla_outputs = run::DlaOutputs::None;
  if (settings.on(Flag::noDlaReplay)) options.dla_outputs = run::DlaOutputs::Emulate;
  options.board = board_options(settings);
  options.dla_half_sum = ir::parse_enum<dla::core::HalfSum>(settings.text(Flag::dlaFp16)).value();
  options.predict = settings.on(Flag::predict);
  options.profile =
      static_cast<int>(std::min<int64_t>(settings.integer(Flag::useProfile), 1 << 20));
  return options;
}

bench::Options bench_options(const Settings& settings) {
  const double duration_s = settings.real(Flag::duration);
  if (duration_s < 0 && duration_s != -1)
    fail(Fault::Usage, "--duration is {}; give 0 or more seconds, or -1 to measure without end",
         duration_s);
  bench::Options options;
  options.limits.iterations = settings.integer(Flag::iterations);
  options.limits.duration_ms = std::max(0.0, duration_s * 1000);
  options.limits.warm_up_ms = settings.real(Flag::warmUp);
  options.limits.endless = duration_s == -1 || settings.given(Flag::untilStable);
  options.idle_ms = settings.real(Flag::idleTime);
  options.expose_transfers = settings.on(Flag::exposeDMA);
  options.most_wall_s = settings.real(Flag::maxWallTime);
  if (settings.given(Flag::untilStable))
    options.until_stable = parse_stability(settings.text(Flag::untilStable));
  if (duration_s == -1)
    log::warning("--duration=-1 measures until --maxWallTime or an interrupt ends it");
  return options;
}

int stream_count(const Settings& settings) {
  constexpr int64_t kMost = 1024;  // each has buffers of its own
  const int64_t count = settings.integer(Flag::infStreams);
  if (count > kMost) fail(Fault::Usage, "--infStreams is {}; give 1 to {}", count, kMost);
  return static_cast<int>(count);
}

InferenceOptions inference_options(const Settings& settings) {
  InferenceOptions options;
  options.engine = engine_options(settings);
  options.bench = bench_options(settings);
  options.bench.dla_cores = options.engine.board.busy_cores;
  options.streams = stream_count(settings);
  options.sleep_ms = settings.real(Flag::sleepTime);
  options.shapes = parse_shapes(settings.text(Flag::shapes), "--shapes");
  if (!settings.given(Flag::refPair)) options.inputs = named_files(settings.text(Flag::loadInputs));
  options.seed = static_cast<uint32_t>(settings.integer(Flag::seed));
  options.release = release(settings.dialect());
  options.beside = split_list(settings.text(Flag::besideEngine));
  return options;
}

std::string canonical_verbosity(const std::string& text) {
  if (text == "default") return "layer_names_only";
  return text == "verbose" ? "detailed" : text;
}

}  // namespace

Job make_job(const Settings& settings) {
  check_model(settings);
  Job job;
  job.build = build_options(settings);
  job.standalone = is_standalone(settings);
  if (job.standalone) build::require_standalone(job.build);
  job.load_engine = settings.text(Flag::loadEngine);
  job.run_loadable = settings.text(Flag::runLoadable);
  job.save_engine = settings.text(Flag::saveEngine);
  job.profiling_verbosity = canonical_verbosity(settings.text(Flag::profilingVerbosity));
  job.skip_build = settings.on(Flag::skipBuild);
  job.skip_inference = settings.on(Flag::skipInference) || job.standalone;
  job.time_deserialize = settings.on(Flag::timeDeserialize);
  job.inference = inference_options(settings);
  job.references = references_of(settings);
  job.percentiles = parse_percentiles(settings.text(Flag::percentile));
  job.average_runs = static_cast<size_t>(settings.integer(Flag::avgRuns));
  job.profiles = settings.on(Flag::dumpProfile) || settings.given(Flag::exportProfile);
  job.separate_profile_run = settings.on(Flag::separateProfileRun);
  warn_of_vain_flags(settings);
  return job;
}

}  // namespace dlaexec::cli
