#include "api/calibrator.h"

#include <algorithm>

#include "accuracy/calibrate.h"
#include "api/convert.h"
#include "base/log.h"
#include "ir/infer.h"
#include "quant/cache.h"

namespace dlaexec::api {
namespace {

bool same_rank(const std::array<std::optional<ir::Dims>, 3>& dims) {
  return std::all_of(dims.begin(), dims.end(), [&](const auto& one) {
    return one && dims[0] && one->size() == dims[0]->size();
  });
}

bool in_order(const std::array<std::optional<ir::Dims>, 3>& dims) {
  if (!same_rank(dims)) return false;
  for (size_t i = 0; i < dims[0]->size(); ++i)
    if ((*dims[0])[i] > (*dims[1])[i] || (*dims[1])[i] > (*dims[2])[i]) return false;
  return true;
}

std::string_view name_of(CalibrationAlgoType type) {
  switch (type) {
    case CalibrationAlgoType::kLEGACY_CALIBRATION:
      return "LegacyCalibration";
    case CalibrationAlgoType::kENTROPY_CALIBRATION:
      return "EntropyCalibration";
    case CalibrationAlgoType::kENTROPY_CALIBRATION_2:
      return "EntropyCalibration2";
    case CalibrationAlgoType::kMINMAX_CALIBRATION:
      return "MinMaxCalibration";
  }
  __builtin_unreachable();
}

quant::CalibrationSettings settings_of(CalibrationAlgoType type) {
  switch (type) {
    case CalibrationAlgoType::kENTROPY_CALIBRATION_2:
      return {quant::CalibrationAlgorithm::Entropy2};
    case CalibrationAlgoType::kMINMAX_CALIBRATION:
      return {quant::CalibrationAlgorithm::MinMax};
    default:
      fail(
          "calibrators of {} are not supported; derive from IInt8EntropyCalibrator2 or "
          "IInt8MinMaxCalibrator",
          name_of(type));
  }
}

/// What the calibrator kept of an earlier calibration; nothing when it keeps none, or one of
/// another algorithm, which TensorRT ignores, too.
std::optional<quant::Scales> cached_scales(IInt8Calibrator& calibrator) {
  std::size_t length = 0;
  const void* bytes = calibrator.readCalibrationCache(length);
  if (bytes == nullptr || length == 0) return std::nullopt;
  const quant::CalibrationCache cache =
      quant::parse_cache({static_cast<const char*>(bytes), length});
  if (cache.algorithm == name_of(calibrator.getAlgorithm())) return quant::scales_of(cache);
  log::warning("the calibration cache is of {}, the calibrator of {}: calibrating anew",
               cache.algorithm, name_of(calibrator.getAlgorithm()));
  return std::nullopt;
}

/// The network with the sizes of the calibration profile, and the calibrator's batch where the
/// network leaves it open.
ir::Graph sized(const ir::Graph& network, IInt8Calibrator& calibrator,
                const OptimizationProfile* profile) {
  std::map<std::string, int64_t> sizes;
  for (const ir::ValueId id : network.inputs) {
    const ir::Value& input = network.value(id);
    const ir::Dims* wanted = nullptr;
    std::vector<build::InputShape> shapes;
    if (profile) shapes = profile->optimal_shapes();
    for (const build::InputShape& shape : shapes)
      if (shape.input == input.name) wanted = &shape.opt;
    for (size_t i = 0; i < input.shape.size(); ++i) {
      if (input.shape[i].is_known()) continue;
      if (!wanted && i > 0)
        fail("input '{}' is {}; calibration needs its sizes: call setCalibrationProfile",
             input.name, ir::to_text(input.shape));
      sizes[input.shape[i].symbol] = wanted ? wanted->at(i) : calibrator.getBatchSize();
    }
  }
  return sizes.empty() ? network : ir::specialize(network, sizes);
}

/// The calibrator's next batch, copied; nothing when there is none.
std::optional<std::vector<ir::Tensor>> next_batch(const ir::Graph& network,
                                                  IInt8Calibrator& calibrator) {
  std::vector<const char*> names;
  for (const ir::ValueId id : network.inputs) names.push_back(network.value(id).name.c_str());
  std::vector<void*> bindings(names.size(), nullptr);
  if (!calibrator.getBatch(bindings.data(), names.data(), static_cast<int32_t>(names.size())))
    return std::nullopt;
  std::vector<ir::Tensor> batch;
  for (size_t i = 0; i < names.size(); ++i) {
    const ir::Value& input = network.value(network.inputs[i]);
    if (bindings[i] == nullptr) fail("getBatch gave no elements for input '{}'", input.name);
    ir::Tensor tensor(input.type, ir::dims_of(input.shape));
    std::copy_n(static_cast<const std::byte*>(bindings[i]), tensor.size_bytes(),
                tensor.mutable_bytes().data());
    batch.push_back(std::move(tensor));
  }
  return batch;
}

quant::Scales calibrate(const ir::Graph& network, IInt8Calibrator& calibrator,
                        const OptimizationProfile* profile) {
  const quant::CalibrationSettings settings = settings_of(calibrator.getAlgorithm());
  if (const auto cached = cached_scales(calibrator)) return *cached;
  const ir::Graph graph = sized(network, calibrator, profile);
  ThreadPool pool;
  const accuracy::Calibration found = accuracy::calibrate(
      graph, [&] { return next_batch(graph, calibrator); }, settings, pool);
  const std::string cache = quant::print_cache(
      quant::cache_of(found.scales, std::string(name_of(calibrator.getAlgorithm()))));
  calibrator.writeCalibrationCache(cache.data(), cache.size());
  return found.scales;
}

}  // namespace

bool OptimizationProfile::setDimensions(const char* input, OptProfileSelector select,
                                        const Dims& dims) noexcept {
  for (int32_t i = 0; i < dims.nbDims; ++i)
    if (dims.d[i] < 0) return false;
  inputs_[input][static_cast<size_t>(select)] = to_ints(dims);
  return true;
}

Dims OptimizationProfile::getDimensions(const char* input,
                                        OptProfileSelector select) const noexcept {
  const auto found = inputs_.find(input);
  if (found == inputs_.end() || !found->second[static_cast<size_t>(select)]) return Dims{-1, {}};
  return ints_to_dims(*found->second[static_cast<size_t>(select)]);
}

bool OptimizationProfile::isValid() const noexcept {
  return std::all_of(inputs_.begin(), inputs_.end(),
                     [](const auto& input) { return in_order(input.second); });
}

std::vector<build::InputShape> OptimizationProfile::shapes() const {
  std::vector<build::InputShape> shapes;
  for (const auto& [input, dims] : inputs_) {
    if (!in_order(dims))
      fail(
          "the optimization profile of input '{}' needs kMIN, kOPT and kMAX of one rank, "
          "kMIN <= kOPT <= kMAX",
          input);
    shapes.push_back({input, *dims[0], *dims[1], *dims[2]});
  }
  return shapes;
}

std::vector<build::InputShape> OptimizationProfile::optimal_shapes() const {
  std::vector<build::InputShape> fixed = shapes();
  for (build::InputShape& shape : fixed) shape.min = shape.max = shape.opt;
  return fixed;
}

void use_calibrator(build::Options& options, IInt8Calibrator& calibrator,
                    const OptimizationProfile* profile) {
  options.scales_from =
      format("the application's {} calibrator", name_of(calibrator.getAlgorithm()));
  options.calibrate = [&calibrator, profile](const ir::Graph& network) {
    return calibrate(network, calibrator, profile);
  };
}

}  // namespace dlaexec::api
