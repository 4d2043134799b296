#include "api/config.h"

#include <algorithm>

#include "dla/compile/compile.h"
#include "dla/platform.h"
#include "dla/rules.h"

namespace dlaexec::api {
namespace {

std::vector<ir::Format> formats_of(TensorFormats set) {
  std::vector<ir::Format> formats;
  for (size_t i = 0; i < ir::kEnumText<ir::Format>.size(); ++i)
    if (set >> i & 1u) formats.push_back(static_cast<ir::Format>(i));
  if (formats.empty()) formats.push_back(ir::Format::Linear);
  return formats;
}

std::vector<place::EdgeFormat> io_formats(const Network& network,
                                          const std::vector<ir::ValueId>& ids,
                                          const ir::Graph& graph) {
  std::vector<place::EdgeFormat> list;
  for (const ir::ValueId id : ids) {
    const Tensor& tensor = *network.tensor(id);
    list.push_back(
        {tensor.io_type().value_or(graph.value(id).type), formats_of(tensor.getAllowedFormats())});
  }
  return list;
}

/// What the user asks of the types of @p layer, under the names that its nodes have in the build.
void add_wishes(build::Options& options, const Layer& layer) {
  if (!layer.has_node()) return;  // a constant
  const auto name_of = [&](int node) -> const std::string& {
    return options.graph->nodes[static_cast<size_t>(node)].name;
  };
  if (layer.precision())
    for (const int node : layer.nodes())
      options.layer_precisions[name_of(node)] = *layer.precision();
  if (layer.output_types().empty()) return;
  if (std::ssize(layer.output_types()) != layer.getNbOutputs())
    fail("setOutputType: layer '{}' has {} outputs and types for {}; set the type of each",
         layer.getName(), layer.getNbOutputs(), layer.output_types().size());
  std::vector<ir::DataType>& types = options.layer_output_types[name_of(layer.nodes().back())];
  for (const auto& [index, type] : layer.output_types()) types.push_back(type);
}

}  // namespace

DeviceType BuilderConfig::getDeviceType(const ILayer* layer) const noexcept {
  const auto own = settings_.devices.find(layer);
  return own == settings_.devices.end() ? settings_.default_device : own->second;
}

bool BuilderConfig::canRunOnDLA(const ILayer* layer) const noexcept {
  return guarded(logger_, false, [&] {
    const auto& wanted = dynamic_cast<const Layer&>(*layer);
    if (!wanted.has_node()) return false;  // a constant is never a DLA layer
    const dla::Platform& platform = dla::platform(settings_.platform);
    if (platform.dla_cores == 0) return false;
    const auto fits = [&](ir::DataType precision) {
      return wanted.fits_dla(
          {platform.generation, dla::default_edition(platform.generation), precision});
    };
    if (getFlag(BuilderFlag::kINT8) && fits(ir::DataType::Int8)) return true;
    return getFlag(BuilderFlag::kFP16) && fits(ir::DataType::Float16);
  });
}

std::size_t BuilderConfig::getMemoryPoolLimit(MemoryPoolType pool) const noexcept {
  if (const auto set = settings_.pools.find(pool); set != settings_.pools.end()) return set->second;
  return guarded<std::size_t>(logger_, 0, [&]() -> std::size_t {
    const dla::PoolLimits limits = dla::default_pools(dla::platform(settings_.platform).generation);
    switch (pool) {
      case MemoryPoolType::kDLA_MANAGED_SRAM:
        return static_cast<std::size_t>(limits.sram);
      case MemoryPoolType::kDLA_LOCAL_DRAM:
        return static_cast<std::size_t>(limits.local);
      case MemoryPoolType::kDLA_GLOBAL_DRAM:
        return static_cast<std::size_t>(limits.global);
      case MemoryPoolType::kWORKSPACE:
        return 0;  // no limit of its own
    }
    return 0;
  });
}

bool BuilderConfig::setPlatform(const char* name) noexcept {
  return succeeds(logger_, [&] { settings_.platform = dla::platform(name).name; });
}

bool BuilderConfig::setCalibrationProfile(const IOptimizationProfile* profile) noexcept {
  return succeeds(logger_, [&] {
    if (profile && !profile->isValid())
      fail(
          "setCalibrationProfile: the profile lacks dimensions of an input, or they are not in "
          "order");
    settings_.calibration_profile = dynamic_cast<const OptimizationProfile*>(profile);
  });
}

int32_t BuilderConfig::addOptimizationProfile(const IOptimizationProfile* profile) noexcept {
  return guarded(logger_, -1, [&] {
    if (settings_.profile)
      fail(
          "addOptimizationProfile: one optimization profile is supported, and it is added already");
    const auto& added = dynamic_cast<const OptimizationProfile&>(*profile);
    added.shapes();  // throws when it is not valid
    settings_.profile = &added;
    return 0;
  });
}

void BuilderConfig::reset() noexcept { settings_ = {}; }

bool BuilderConfig::uses_dla() const {
  return settings_.default_device == DeviceType::kDLA ||
         std::any_of(settings_.devices.begin(), settings_.devices.end(),
                     [](const auto& entry) { return entry.second == DeviceType::kDLA; });
}

build::Options BuilderConfig::options(const Network& network, int64_t implicit_batch) const {
  if (settings_.capability == EngineCapability::kSAFETY)
    fail("setEngineCapability: there is no safety runtime here; use kSTANDARD or kDLA_STANDALONE");
  build::Options options;
  options.graph = network.for_build(implicit_batch);
  options.model_path = network.getName();
  options.fp16 = getFlag(BuilderFlag::kFP16);
  options.int8 = getFlag(BuilderFlag::kINT8);
  if (getFlag(BuilderFlag::kPREFER_PRECISION_CONSTRAINTS))
    options.constraints = quant::Constraints::Prefer;
  if (getFlag(BuilderFlag::kOBEY_PRECISION_CONSTRAINTS))
    options.constraints = quant::Constraints::Obey;
  options.platform = settings_.platform;
  if (uses_dla()) options.dla_core = std::max(0, settings_.dla_core);
  if (settings_.default_device == DeviceType::kGPU) options.layer_devices["*"] = ir::Device::Gpu;
  options.gpu_fallback = getFlag(BuilderFlag::kGPU_FALLBACK);
  options.direct_io = getFlag(BuilderFlag::kDIRECT_IO);
  for (const auto& [layer, device] : settings_.devices) {
    const auto& view = dynamic_cast<const Layer&>(*layer);
    for (const int node : view.nodes())
      options.layer_devices[options.graph->nodes[static_cast<size_t>(node)].name] =
          device == DeviceType::kDLA ? ir::Device::Dla : ir::Device::Gpu;
  }
  const auto pool = [&](MemoryPoolType type) -> std::optional<uint64_t> {
    const auto set = settings_.pools.find(type);
    return set == settings_.pools.end() ? std::nullopt : std::optional<uint64_t>(set->second);
  };
  for (const auto& layer : network.layers()) add_wishes(options, *layer);
  options.pools = {pool(MemoryPoolType::kWORKSPACE), pool(MemoryPoolType::kDLA_MANAGED_SRAM),
                   pool(MemoryPoolType::kDLA_LOCAL_DRAM), pool(MemoryPoolType::kDLA_GLOBAL_DRAM)};
  options.repetitions = settings_.repetitions;
  options.input_formats = io_formats(network, options.graph->inputs, *options.graph);
  options.output_formats = io_formats(network, options.graph->outputs, *options.graph);
  if (settings_.profile) options.shapes = settings_.profile->shapes();
  if (settings_.calibrator)
    use_calibrator(options, *settings_.calibrator, settings_.calibration_profile);
  return options;
}

}  // namespace dlaexec::api
