#include "accuracy.h"

#include <algorithm>

#include "accuracy/calibrate.h"
#include "base/error.h"
#include "calibration.h"
#include "samples.h"

namespace dlaexec::cli {
namespace {

using accuracy::Dataset;
using accuracy::PeerKind;
using accuracy::Sight;
using report::Gate;
using report::Outcome;

PeerKind peer_kind(const Settings& settings) {
  return ir::parse_enum<PeerKind>(settings.text(Flag::compareTo)).value_or(PeerKind::Fp32);
}

void require_sense(const Settings& settings, const Job& job) {
  const bool compares = settings.given(Flag::compareTo), validates = settings.given(Flag::validate);
  if ((compares || validates) && !job.run_loadable.empty())
    fail(Fault::Usage,
         "a loadable alone knows nothing of its network; give --onnx=FILE or --loadEngine=PLAN for "
         "--compareTo and --validate");
  if (compares && !job.builds() && job.build.model_path.empty())
    fail(Fault::Usage,
         "--compareTo needs the network that the plan was made of: add --onnx=FILE to "
         "--loadEngine");
  if (compares && !job.builds() && peer_kind(settings) == PeerKind::Gpu)
    fail(Fault::Usage,
         "--compareTo=gpu builds the network for the GPU with the plan's ranges, which a finished "
         "plan does not hold: leave --loadEngine out, or compare with fp32");
  if (settings.on(Flag::dlaTimingOnly) && (compares || validates))
    fail(Fault::Usage, "--dlaTimingOnly computes no outputs to compare or validate; leave it out");
  for (const Flag flag : {Flag::layerwise, Flag::compareData, Flag::minCosine})
    if (settings.given(flag) && !compares)
      fail(Fault::Usage, "{} needs an engine to compare with: give --compareTo=ref|cpu|gpu|fp32",
           spelling(flag));
  if (settings.given(Flag::minTop1) && !validates)
    fail(Fault::Usage, "--minTop1 needs labelled samples: give --validate=MANIFEST");
  if (settings.given(Flag::maxAccuracyLoss) && !(compares && validates))
    fail(Fault::Usage,
         "--maxAccuracyLoss needs labelled samples and an engine to lose against: give "
         "--validate=MANIFEST and --compareTo=fp32");
}

Gate min_cosine(const accuracy::Comparison& comparison, double least) {
  Gate gate{"accuracy.min-cosine", Outcome::Passed, "", {}};
  double worst = 1;
  for (const accuracy::TensorDifference& output : comparison.outputs) {
    const double cosine = output.difference.not_finite > 0 ? 0 : output.difference.cosine;
    worst = std::min(worst, cosine);
    if (!(cosine >= least))
      gate.culprits.push_back(format("output {}: {}", output.tensor, to_text(output.difference)));
  }
  gate.sentence =
      format("the least cosine of the outputs against {} is {:.6f}, --minCosine allows {}",
             ir::text(comparison.peer), worst, least);
  if (!gate.culprits.empty()) gate.outcome = Outcome::Failed;
  return gate;
}

Gate min_top1(const accuracy::Share& top1, double least_percent) {
  Gate gate{"accuracy.min-top1",
            Outcome::Passed,
            format("top-1 is {:.2f} %, --minTop1 allows {:.2f} %", top1.value * 100, least_percent),
            {}};
  if (top1.value * 100 < least_percent) gate.outcome = Outcome::Failed;
  return gate;
}

Gate max_loss(const report::ValidationResult& result, double most_points) {
  const double loss = result.loss->loss * 100;
  Gate gate{"accuracy.max-loss",
            Outcome::Passed,
            format("top-1 is {:.2f} points below {}, --maxAccuracyLoss allows {:.2f}", loss,
                   ir::text(result.peer_kind), most_points),
            {}};
  if (loss > most_points + 1e-9) gate.outcome = Outcome::Failed;
  return gate;
}

}  // namespace

AccuracyCheck::AccuracyCheck(const Settings& settings, Job& job) : settings_(settings), job_(job) {
  require_sense(settings, job);
  if (!settings.given(Flag::compareTo) && !settings.given(Flag::validate)) return;
  options_ = job.build;
  record_ = std::make_unique<accuracy::BuildRecord>();
  record_->listen(job.build);
}

std::optional<report::Accuracy> AccuracyCheck::run(const plan::Plan& plan) {
  if (!record_) return std::nullopt;
  if (!job_.builds()) {
    *record_ = accuracy::record_of(plan);
    if (!job_.build.model_path.empty())
      record_->network = accuracy::network_of(plan, job_.build.model_path);
  }
  ThreadPool pool;
  report::Accuracy found;
  const ir::Graph& network = record_->network;
  const Sight sight = settings_.on(Flag::layerwise) ? Sight::EveryTensor : Sight::Outputs;
  if (settings_.given(Flag::compareTo)) {
    const Samples samples = samples_for(network, settings_);
    const auto own = accuracy::plan_peer(plan, job_.inference.engine, sight);
    const auto peer = accuracy::make_peer(peer_kind(settings_), *record_, options_, pool, sight);
    found.comparison =
        accuracy::compare(*own, *peer, *record_, sight, samples.count, samples.sample);
    found.comparison->peer = peer_kind(settings_);
    found.comparison->data = samples.from;
  }
  if (settings_.given(Flag::validate)) {
    report::ValidationResult result;
    result.manifest = settings_.text(Flag::validate);
    const Dataset data(result.manifest, accuracy::feeds_of(network), preprocess_of(settings_));
    const auto own = accuracy::plan_peer(plan, job_.inference.engine, Sight::Outputs);
    result.plan = classify(data, *own, network);
    if (settings_.given(Flag::compareTo)) {
      result.peer_kind = peer_kind(settings_);
      const auto peer =
          accuracy::make_peer(result.peer_kind, *record_, options_, pool, Sight::Outputs);
      result.peer = classify(data, *peer, network);
      result.loss = accuracy::compare(data, *result.peer, result.plan);
    }
    found.validation = std::move(result);
  }
  report::print_accuracy(found);
  return found;
}

Gates accuracy_gates(const Settings& settings, const report::Accuracy& found) {
  Gates gates;
  if (settings.given(Flag::minCosine))
    gates.push_back(min_cosine(*found.comparison, settings.real(Flag::minCosine)));
  if (settings.given(Flag::minTop1))
    gates.push_back(min_top1(found.validation->plan.top1, settings.real(Flag::minTop1)));
  if (settings.given(Flag::maxAccuracyLoss))
    gates.push_back(max_loss(*found.validation, settings.real(Flag::maxAccuracyLoss)));
  return gates;
}

}  // namespace dlaexec::cli
