#include "calibration.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "accuracy/calibrate.h"
#include "accuracy/lift.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "grammar.h"
#include "ir/type_flags.h"
#include "quant/cache.h"
#include "run/inputs.h"

namespace dlaexec::cli {
namespace {

constexpr std::string_view kEntropy = "EntropyCalibration2";

/// Information lines about every tenth of the samples.
class Progress {
 public:
  void operator()(size_t done, size_t total) {
    if (first_ == 0) {
      first_ = done;
      start_ = std::chrono::steady_clock::now();
    }
    if (done * kLines / total == said_) return;
    said_ = done * kLines / total;
    log::info("Calibrating: {} of {} samples{}", done, total, left(done, total));
  }

 private:
  static constexpr size_t kLines = 10;

  /// By what the samples after the first ones took.
  std::string left(size_t done, size_t total) const {
    if (done == first_ || done == total) return "";
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const double each = spent.count() / static_cast<double>(done - first_);
    return format(", about {:.0f} s left", each * static_cast<double>(total - done));
  }

  size_t said_ = 0, first_ = 0;
  std::chrono::steady_clock::time_point start_;
};

accuracy::CalibrationRequest request_of(const Settings& settings) {
  accuracy::CalibrationRequest request;
  request.settings.algorithm =
      ir::parse_enum<quant::CalibrationAlgorithm>(settings.text(Flag::calibAlgorithm)).value();
  request.settings.percentile = settings.real(Flag::calibPercentile);
  if (request.settings.percentile <= 0 || request.settings.percentile > 100)
    fail(Fault::Usage, "--calibPercentile is {}; give more than 0 and at most 100",
         request.settings.percentile);
  request.batch_size = static_cast<size_t>(settings.integer(Flag::calibBatchSize));
  request.batches = static_cast<size_t>(settings.integer(Flag::calibBatches));
  request.progress = Progress();
  return request;
}

/// What a user should know of tensors before he trusts their ranges.
void log_calibration(const accuracy::Calibration& found) {
  for (const accuracy::CalibratedTensor& tensor : found.tensors) {
    if (tensor.not_finite > 0)
      log::warning("tensor {} had {} elements that are NaN or infinite; they do not count",
                   tensor.name, tensor.not_finite);
    log::verbose("tensor {}: range +-{:.6g}, largest magnitude {:.6g}", tensor.name, tensor.range,
                 tensor.largest);
  }
}

/// A batch that is not free goes its own way; the user should not believe in another.
void check_batch(const ir::Graph& graph, size_t wanted) {
  if (wanted == 1 || graph.inputs.empty()) return;
  const ir::Shape& shape = graph.value(graph.inputs[0]).shape;
  if (shape.empty() || !shape[0].is_known() || shape[0].value == static_cast<int64_t>(wanted))
    return;
  log::warning(
      "--calibBatchSize={}: the network is built for a batch of {}, and so many samples go "
      "through it at once",
      wanted, shape[0].value);
}

/// Ranges for the cache beyond those of the network that is built. TensorRT asks for every tensor
/// of the model, also for those that are gone here before ranges are chosen, such as what stands
/// before a BatchNormalization.
struct CacheExtras {
  ir::Graph model;  ///< as imported
  quant::Scales scales;

  /// Makes @p options keep the model here.
  static void listen(const std::shared_ptr<CacheExtras>& extras, build::Options& options) {
    options.on_stage = [extras, before = options.on_stage](std::string_view stage,
                                                           const ir::Graph& graph) {
      if (stage == "import") extras->model = graph;
      if (before) before(stage, graph);
    };
  }
  /// Calibrates what @p known lacks by one more run over the data.
  void calibrate(const accuracy::Dataset& data, const accuracy::CalibrationRequest& request,
                 const quant::Scales& known, ThreadPool& pool) {
    const bool is_complete =
        std::all_of(model.nodes.begin(), model.nodes.end(), [&](const ir::Node& node) {
          return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ir::ValueId id) {
            return id == ir::kNoValue || !ir::is_float(model.value(id).type) ||
                   known.contains(model.value(id).name);
          });
        });
    if (is_complete) return;
    log::info("Calibrating again, for the cache: the model has tensors that the build has not");
    scales = accuracy::calibrate(model, data, request, pool).scales;
  }
};

/// False for what is there and cannot be reached: reading it tells why.
bool is_missing(const std::string& path) {
  std::error_code unreachable;
  return !std::filesystem::exists(path, unreachable) && !unreachable;
}

void calibrate_on_data(build::Options& options, const Settings& settings,
                       const std::shared_ptr<CacheExtras>& extras) {
  const std::string path = settings.text(Flag::calibData);
  if (is_missing(path))
    fail("--calibData: there is no file or folder '{}'; give samples to calibrate on", path);
  const accuracy::CalibrationRequest request = request_of(settings);
  const accuracy::Preprocess how = preprocess_of(settings);
  options.scales_from =
      format("calibration by {} on '{}'", ir::text(request.settings.algorithm), path);
  options.calibrate = [path, request, how, extras](const ir::Graph& graph) {
    return in_context([&] { return format("calibrating on '{}'", path); },
                      [&] {
                        check_batch(graph, request.batch_size);
                        const accuracy::Dataset data(path, accuracy::feeds_of(graph), how);
                        ThreadPool pool;
                        const accuracy::Calibration found =
                            accuracy::calibrate(graph, data, request, pool);
                        log_calibration(found);
                        log::info("Calibrated {} tensors on {} samples of '{}'",
                                  found.scales.size(), found.samples, path);
                        if (extras) extras->calibrate(data, request, found.scales, pool);
                        return found.scales;
                      });
  };
}

/// Samples spread over the data, as many as a look at the outputs needs.
std::vector<accuracy::Batch> some_batches(const accuracy::Dataset& data, const ir::Graph& graph) {
  constexpr size_t kSamples = 8;
  const ir::Shape& shape = graph.value(graph.inputs[0]).shape;
  const size_t batch = shape.empty() ? 1 : static_cast<size_t>(shape[0].value);
  const size_t all = data.size() / batch,
               count = std::min(all, std::max<size_t>(1, kSamples / batch));
  std::vector<accuracy::Batch> batches;
  for (size_t i = 0; i < count; ++i)
    batches.push_back(data.load_batch(i * all / count * batch, batch));
  return batches;
}

/// Layers leave INT8 where the outputs lose too much.
void lift_where_needed(build::Options& options, const Settings& settings) {
  const double least_cosine = settings.real(Flag::calibCosine);
  if (least_cosine > 1)
    fail(Fault::Usage, "--calibCosine is {}; give at most 1, or 0 to leave all layers in INT8",
         least_cosine);
  if (least_cosine == 0 || settings.given(Flag::tunePrecision)) return;
  options.lift = [path = settings.text(Flag::calibData), how = preprocess_of(settings),
                  least_cosine](const ir::Graph& graph, const quant::Options& with_ranges) {
    const ir::Graph sized = accuracy::with_batch(graph, 1);
    const accuracy::Dataset data(path, accuracy::feeds_of(sized), how);
    ThreadPool pool;
    return accuracy::find_lifts(sized, with_ranges, some_batches(data, sized), least_cosine, pool);
  };
}

/// trtexec's behaviour: one batch of noise, which makes ranges that fit no data.
void calibrate_on_noise(build::Options& options, const std::string& why) {
  log::warning(
      "{}; as trtexec does, INT8 is calibrated on random numbers in [-1, 1): the outputs "
      "mean nothing",
      why);
  options.scales_from =
      "calibration on random numbers, which fits no data: the outputs mean nothing";
  options.calibrate = [](const ir::Graph& graph) {
    bool given = false;
    const auto noise = [&]() -> std::optional<std::vector<ir::Tensor>> {
      if (std::exchange(given, true)) return std::nullopt;
      std::vector<ir::Tensor> inputs;
      for (const ir::ValueId id : graph.inputs)
        inputs.push_back(run::random_input_for(graph, id, ir::dims_of(graph.value(id).shape)));
      return inputs;
    };
    ThreadPool pool;
    return accuracy::calibrate(graph, noise, {}, pool).scales;
  };
}

void read_cache(build::Options& options, const Settings& settings) {
  const std::string path = settings.text(Flag::calib);
  const bool as_trtexec = settings.dialect() != Dialect::Union;
  if (is_missing(path)) {
    if (!as_trtexec)
      fail(
          "--calib: there is no calibration cache '{}'; give one, or --calibData=FOLDER to make "
          "ranges from data and --saveCalib=FILE to keep them",
          path);
    return calibrate_on_noise(options, format("--calib: there is no file '{}'", path));
  }
  const quant::CalibrationCache cache = quant::read_cache(path);
  if (cache.algorithm != kEntropy && as_trtexec)
    return calibrate_on_noise(
        options, format("--calib: '{}' is a cache of {}, which an {} calibrator ignores", path,
                        cache.algorithm, kEntropy));
  options.scales = quant::scales_of(cache);
  if (options.scales.empty())
    fail("--calib: the calibration cache '{}' holds no scale; give one that does", path);
  options.scales_from =
      format("calibration cache '{}' (TensorRT {}, {})", path, cache.version, cache.algorithm);
  if (cache.algorithm != kEntropy && options.dla_core)
    log::warning("the cache '{}' is of {}; TensorRT takes {} alone for the DLA", path,
                 cache.algorithm, kEntropy);
}

void save_ranges(const quant::Report& report, quant::Scales scales, const Settings& settings) {
  if (report.source == quant::RangeSource::Fixed || report.source == quant::RangeSource::None)
    fail(Fault::Usage,
         "--saveCalib has no ranges to write: give --int8 and --calibData=FOLDER or "
         "--calib=FILE, or a network with Q/DQ layers");
  const auto algorithm =
      ir::parse_enum<quant::CalibrationAlgorithm>(settings.text(Flag::calibAlgorithm)).value();
  const bool calibrated = report.source == quant::RangeSource::Calibrated;
  for (const auto& [tensor, scale] : report.scales) scales[tensor] = scale;
  const quant::CalibrationCache cache = quant::cache_of(
      scales, std::string(calibrated ? quant::cache_algorithm(algorithm) : kEntropy));
  const std::string path = settings.text(Flag::saveCalib);
  write_file(path, quant::print_cache(cache));
  log::info("Wrote the ranges of {} tensors to '{}'", cache.entries.size(), path);
}

/// One line, so that both --layerPrecisions=@FILE and --layerPrecisions="$(cat FILE)" read it. What
/// trtexec's grammar cannot say is left out: it takes a comma for the end of a name, and ' for a
/// quote.
void save_precisions(const quant::Report& report, const Settings& settings) {
  std::vector<quant::LayerPrecision> entries;
  for (const quant::LayerPrecision& entry : report.precisions)
    if (entry.layer.find_first_of(",'") == std::string::npos)
      entries.push_back(entry);
    else
      log::warning("--saveLayerPrecisions leaves out layer '{}': no --layerPrecisions can name it",
                   entry.layer);
  write_file(settings.text(Flag::saveLayerPrecisions),
             join(entries, ",", [](const quant::LayerPrecision& entry) {
               return format("{}:{}", entry.layer, ir::flag_text(entry.precision));
             }) + "\n");
}

}  // namespace

void set_ranges(build::Options& options, const Settings& settings) {
  if (settings.given(Flag::translateQDQ))
    options.qdq = settings.on(Flag::translateQDQ) ? quant::QdqLayers::Translated
                  : options.dla_core              ? quant::QdqLayers::Kept
                                                  : quant::QdqLayers::Fused;
  if (settings.given(Flag::calib) && settings.given(Flag::calibData))
    fail(Fault::Usage, "--calib reads ranges and --calibData finds them; give one of them");
  std::shared_ptr<CacheExtras> extras;
  if (settings.given(Flag::saveCalib)) extras = std::make_shared<CacheExtras>();
  if (options.int8 && settings.given(Flag::calib)) read_cache(options, settings);
  if (options.int8 && settings.given(Flag::calibData)) {
    calibrate_on_data(options, settings, extras);
    lift_where_needed(options, settings);
  }
  if (extras) CacheExtras::listen(extras, options);
  if (extras) extras->scales = options.scales;  // a cache that was read keeps what it holds
  if (!settings.given(Flag::saveCalib) && !settings.given(Flag::saveLayerPrecisions)) return;
  options.on_quantized = [settings, extras](const quant::Report& report) {
    if (extras) save_ranges(report, extras->scales, settings);
    if (settings.given(Flag::saveLayerPrecisions)) save_precisions(report, settings);
  };
}

accuracy::Preprocess preprocess_of(const Settings& settings) {
  return accuracy::parse_preprocess(settings.text(Flag::calibPreprocess));
}

void warn_of_vain_calibration(const Settings& settings) {
  const bool int8 = settings.on(Flag::int8) || settings.on(Flag::best);
  for (const Flag flag : {Flag::calib, Flag::calibData, Flag::translateQDQ})
    if (settings.given(flag) && !int8)
      log::warning("{} has no effect without --int8 or --best", spelling(flag));
  for (const Flag flag :
       {Flag::calibBatches, Flag::calibBatchSize, Flag::calibAlgorithm, Flag::calibCosine})
    if (settings.given(flag) && !settings.given(Flag::calibData))
      log::warning("{} has no effect without --calibData", spelling(flag));
  if (settings.given(Flag::calibCosine) && settings.given(Flag::tunePrecision))
    log::warning(
        "--calibCosine has no effect with --tunePrecision, which chooses the layers that leave "
        "INT8");
  if (settings.given(Flag::calibPercentile) && settings.text(Flag::calibAlgorithm) != "percentile")
    log::warning("--calibPercentile has no effect without --calibAlgorithm=percentile");
}

}  // namespace dlaexec::cli
