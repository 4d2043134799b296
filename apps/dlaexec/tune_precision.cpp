#include "tune_precision.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "accuracy/calibrate.h"
#include "accuracy/dataset.h"
#include "accuracy/peer.h"
#include "accuracy/tune.h"
#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "calibration.h"
#include "samples.h"

namespace dlaexec::cli {
namespace {

using accuracy::Lift;
using accuracy::NamedTensors;
using accuracy::Peer;
using accuracy::PrecisionTrial;
using accuracy::Sight;

/// Lifts that are tried alone; each costs a build and a run.
constexpr size_t kMostAlone = 24;
constexpr int kTimings = 3;

void require_sense(const Settings& settings, const Job& job) {
  if (!job.builds()) fail(Fault::Usage, "--tunePrecision builds: give --onnx=FILE");
  if (!job.build.int8 || !job.build.fp16)
    fail(Fault::Usage, "--tunePrecision lifts layers from INT8 to FP16; give --int8 --fp16");
  if (!settings.given(Flag::validate) && !settings.given(Flag::compareData) &&
      !settings.given(Flag::calibData))
    fail(Fault::Usage,
         "--tunePrecision needs samples to judge by: give --validate=MANIFEST for points of "
         "top-1, or --compareData or --calibData for the outputs' cosine");
}

/// Drops every line while it lives: a search builds dozens of plans.
class Silence {
 public:
  Silence() : before_(log::set_sink({})) {}
  ~Silence() { log::set_sink(std::move(before_)); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  log::Sink before_;
};

/// The part of a tensor's energy that INT8 at @p scale loses.
double quantization_noise(const ir::Tensor& real, float scale) {
  double lost = 0, all = 0;
  for (const float x : real.to_floats()) {
    const float kept = std::clamp(std::nearbyint(x / scale), -128.0f, 127.0f) * scale;
    lost += double{x - kept} * double{x - kept};
    all += double{x} * double{x};
  }
  return all > 0 ? lost / all : 0;
}

/// The network layers of each step, by the steps' names.
using StepLayers = std::map<std::string, std::vector<std::string>>;

class Tuner {
 public:
  Tuner(const Settings& settings, Job& job) : settings_(settings), job_(job) {
    base_ = job.build;
    build::Options first = base_;
    record_.listen(first);
    build::build(first);
    keep_ranges();
    samples_ = samples_for(record_.network, settings);
    reference_ =
        accuracy::make_peer(accuracy::PeerKind::Fp32, record_, base_, pool_, Sight::EveryTensor);
    for (size_t i = 0; i < samples_.count; ++i)
      expected_.push_back(reference_->run(samples_.sample(i)));
    if (settings.given(Flag::validate)) prepare_validation();
  }

  accuracy::PrecisionSearch run(double most_loss) {
    return accuracy::search_precision(candidates(), most_loss, kMostAlone,
                                      [&](const std::vector<Lift>& lifted) {
                                        const PrecisionTrial trial = attempt(lifted);
                                        log::info("{}", report::trial_text(trial));
                                        return trial;
                                      });
  }

  /// Makes the job's build lift these layers.
  void apply(const std::vector<Lift>& lifted) { job_.build = with(lifted); }

 private:
  /// Later builds take the ranges that the first one found.
  void keep_ranges() {
    if (record_.ranges.source != quant::RangeSource::Calibrated) return;
    base_.calibrate = [scales = record_.ranges.scales](const ir::Graph&) { return scales; };
    job_.build.calibrate = base_.calibrate;
  }

  void prepare_validation() {
    data_.emplace(settings_.text(Flag::validate), accuracy::feeds_of(record_.network),
                  preprocess_of(settings_));
    right_ = classify(*data_, *reference_, record_.network);
  }

  build::Options with(const std::vector<Lift>& lifted) const {
    build::Options options = base_;
    for (const Lift& lift : lifted)
      for (const std::string& layer : layers_.at(lift.layer)) {
        options.layer_precisions[layer] = ir::DataType::Float16;
        if (lift.off_dla) options.layer_devices[layer] = ir::Device::Gpu;
      }
    if (!lifted.empty() && options.constraints == quant::Constraints::None)
      options.constraints = quant::Constraints::Prefer;
    return options;
  }

  PrecisionTrial attempt(const std::vector<Lift>& lifted) {
    const Silence silence;
    build::Options options = with(lifted);
    options.on_quantized = nullptr;
    const plan::Plan plan = build::build(options);
    const auto peer = accuracy::plan_peer(plan, job_.inference.engine, Sight::Outputs);
    PrecisionTrial trial;
    trial.lifted = lifted;
    accuracy::DifferenceSum sum;
    double worst = 1;
    for (size_t i = 0; i < samples_.count; ++i)
      add(peer->run(samples_.sample(i)), expected_[i], sum, worst);
    const double relative = sum.total().relative_l2;
    trial.noise = relative * relative;
    trial.loss =
        data_
            ? 100 *
                  accuracy::compare(*data_, *right_, classify(*data_, *peer, record_.network)).loss
            : 100 * (1 - worst);
    trial.time_ms = time_of(plan);
    return trial;
  }

  void add(const NamedTensors& found, const NamedTensors& expected, accuracy::DifferenceSum& sum,
           double& worst) const {
    for (const ir::ValueId id : record_.network.outputs) {
      const std::string& name = record_.network.value(id).name;
      const ir::Tensor& reference = expected.at(name);
      const ir::Tensor tensor = found.at(name).reshaped(reference.dims());
      worst = std::min(worst, accuracy::difference(tensor, reference).cosine);
      sum.add(tensor, reference);
    }
  }

  /// Of one execution on the plan's timeline: DLA steps as modelled, others as measured here.
  double time_of(const plan::Plan& plan) const {
    run::EngineOptions options = job_.inference.engine;
    options.dla_outputs = run::DlaOutputs::None;
    const run::Engine engine(plan, options);
    run::Context context(engine);
    std::vector<ir::Tensor> inputs;
    for (const run::Binding& binding : engine.inputs())
      inputs.push_back(ir::Tensor::zeros(binding.type, ir::dims_of(binding.shape)));
    double least = 0;
    for (int i = 0; i < kTimings; ++i) {
      const double ms =
          std::chrono::duration<double, std::milli>(context.execute(inputs).total).count();
      least = i == 0 ? ms : std::min(least, ms);
    }
    return least;
  }

  /// Steps in INT8, those first whose own rounding and clipping take most of their result.
  std::vector<Lift> candidates() {
    std::vector<std::pair<double, std::string>> noisy;
    for (const ir::Node& node : record_.typed.nodes) {
      if (node.precision != ir::DataType::Int8 || node.op == ir::Op::Reformat) continue;
      const ir::Value& made = record_.typed.value(node.outputs[0]);
      const auto real = expected_[0].find(made.name);
      if (real == expected_[0].end() || made.quantization.scales.size() != 1) continue;
      layers_[node.name] = node.origins;
      noisy.emplace_back(quantization_noise(real->second, made.quantization.scales[0]), node.name);
    }
    std::stable_sort(noisy.begin(), noisy.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<Lift> lifts;
    for (const auto& [noise, name] : noisy) {
      lifts.push_back({name, false});
      if (base_.dla_core && base_.gpu_fallback) lifts.push_back({name, true});
    }
    return lifts;
  }

  const Settings& settings_;
  Job& job_;
  build::Options base_;
  accuracy::BuildRecord record_;
  ThreadPool pool_;
  Samples samples_;
  std::unique_ptr<Peer> reference_;
  std::vector<NamedTensors> expected_;
  std::optional<accuracy::Dataset> data_;
  std::optional<accuracy::Validation> right_;
  StepLayers layers_;
};

}  // namespace

std::optional<report::PrecisionResult> tune_precision(const Settings& settings, Job& job) {
  if (!settings.given(Flag::tunePrecision)) return std::nullopt;
  require_sense(settings, job);
  report::PrecisionResult result;
  result.most_loss = settings.real(Flag::tunePrecision);
  result.unit = settings.given(Flag::validate) ? "points of top-1" : "percent of the cosine";
  log::info("=== Precision search: at most {} {} lost against FP32 ===", result.most_loss,
            result.unit);
  Tuner tuner(settings, job);
  result.search = tuner.run(result.most_loss);
  report::print_precision(result);
  if (!result.search.chosen)
    fail(Fault::Gate,
         "--tunePrecision={}: no choice of layers to lift loses so little; allow more, or give "
         "more layers to the GPU with --layerDeviceTypes",
         result.most_loss);
  tuner.apply(result.search.tried[*result.search.chosen].lifted);
  return result;
}

}  // namespace dlaexec::cli
