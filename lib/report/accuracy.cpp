#include "report/accuracy.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;
using accuracy::Comparison;
using accuracy::Difference;
using accuracy::Share;
using accuracy::TensorDifference;

/// JSON knows no infinity: what cannot be given as a number is null.
Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json difference_json(const TensorDifference& tensor) {
  const Difference& d = tensor.difference;
  Json json = {{"tensor", tensor.tensor}};
  if (!tensor.layer.empty()) json["layers"] = tensor.layer;
  json["max_abs"] = number_json(d.max_abs);
  json["relative_l2"] = number_json(d.relative_l2);
  json["cosine"] = number_json(d.cosine);
  json["snr_db"] = number_json(d.snr_db);
  json["not_finite"] = d.not_finite;
  return json;
}

Json differences_json(const std::vector<TensorDifference>& tensors) {
  Json list = Json::array();
  for (const TensorDifference& tensor : tensors) list.push_back(difference_json(tensor));
  return list;
}

Json comparison_json(const Comparison& comparison) {
  Json json = {{"reference", ir::text(comparison.peer)},
               {"samples", comparison.samples},
               {"data", comparison.data},
               {"outputs", differences_json(comparison.outputs)}};
  if (comparison.layers.empty()) return json;
  json["layers"] = differences_json(comparison.layers);
  json["first_bad"] =
      comparison.first_bad ? Json(comparison.layers[*comparison.first_bad].tensor) : Json(nullptr);
  return json;
}

Json share_json(const Share& share) {
  return {{"percent", share.value * 100},
          {"hits", share.hits},
          {"low_percent", share.low * 100},
          {"high_percent", share.high * 100}};
}

Json validation_json(const ValidationResult& result) {
  Json json = {{"manifest", result.manifest},
               {"samples", result.plan.top1.count},
               {"top1", share_json(result.plan.top1)},
               {"top5", share_json(result.plan.top5)},
               {"predictions", result.plan.predictions}};
  if (!result.peer) return json;
  json["reference"] = {{"engine", ir::text(result.peer_kind)},
                       {"top1", share_json(result.peer->top1)},
                       {"top5", share_json(result.peer->top5)}};
  json["top1_loss"] = {{"points", result.loss->loss * 100},
                       {"low_points", result.loss->low * 100},
                       {"high_points", result.loss->high * 100},
                       {"only_reference_right", result.loss->only_first},
                       {"only_plan_right", result.loss->only_second}};
  return json;
}

std::string share_text(const Share& share) {
  return format("{:.2f} % ({:.2f} to {:.2f})", share.value * 100, share.low * 100,
                share.high * 100);
}

void print_validation(const ValidationResult& result) {
  log::info("=== Validation on {} samples of '{}' (95 % intervals) ===", result.plan.top1.count,
            result.manifest);
  log::info("top-1: {}, top-5: {}", share_text(result.plan.top1), share_text(result.plan.top5));
  if (!result.peer) return;
  log::info("{}: top-1: {}, top-5: {}", ir::text(result.peer_kind), share_text(result.peer->top1),
            share_text(result.peer->top5));
  log::info(
      "top-1 loss against {}: {:.2f} points ({:.2f} to {:.2f}), sample by sample: {} lost, {} won",
      ir::text(result.peer_kind), result.loss->loss * 100, result.loss->low * 100,
      result.loss->high * 100, result.loss->only_first, result.loss->only_second);
}

void print_comparison(const Comparison& comparison) {
  log::info("=== Compared with {} on {} samples: {} ===", ir::text(comparison.peer),
            comparison.samples, comparison.data);
  for (const TensorDifference& tensor : comparison.layers)
    log::info("layer {} -> {}: {}", tensor.layer, tensor.tensor, to_text(tensor.difference));
  for (const TensorDifference& tensor : comparison.outputs)
    log::info("output {}: {}", tensor.tensor, to_text(tensor.difference));
  if (comparison.layers.empty()) return;
  if (!comparison.first_bad)
    return log::info("Every layer has an SNR of {} dB or more", accuracy::kGoodSnr);
  const TensorDifference& bad = comparison.layers[*comparison.first_bad];
  log::warning("The first layer that goes bad (SNR below {} dB): {}, tensor {}", accuracy::kGoodSnr,
               bad.layer, bad.tensor);
}

Json trial_json(const accuracy::PrecisionTrial& trial) {
  Json lifted = Json::array();
  for (const accuracy::Lift& lift : trial.lifted)
    lifted.push_back({{"step", lift.layer}, {"off_dla", lift.off_dla}});
  return {{"loss", trial.loss}, {"time_ms", trial.time_ms}, {"lifted", std::move(lifted)}};
}

Json precision_json(const PrecisionResult& result) {
  Json tried = Json::array();
  for (const accuracy::PrecisionTrial& trial : result.search.tried)
    tried.push_back(trial_json(trial));
  Json json = {{"most_loss", result.most_loss},
               {"unit", result.unit},
               {"tried", std::move(tried)},
               {"pareto", result.search.pareto},
               {"chosen", nullptr}};
  if (result.search.chosen) json["chosen"] = *result.search.chosen;
  return json;
}

}  // namespace

void print_accuracy(const Accuracy& accuracy) {
  if (accuracy.comparison) print_comparison(*accuracy.comparison);
  if (accuracy.validation) print_validation(*accuracy.validation);
}

std::string trial_text(const accuracy::PrecisionTrial& trial) {
  const std::string lifted = join(trial.lifted, ", ", [](const accuracy::Lift& lift) {
    return lift.layer + (lift.off_dla ? " (off the DLA)" : "");
  });
  return format("{:.4g} ms, loss {:.3f}: {}", trial.time_ms, trial.loss,
                lifted.empty() ? "all in INT8" : "lifted to FP16: " + lifted);
}

void print_precision(const PrecisionResult& result) {
  const accuracy::PrecisionSearch& search = result.search;
  log::info("=== Pareto points of {} choices, losses in {} ===", search.tried.size(), result.unit);
  for (const size_t point : search.pareto)
    log::info("{}{}", trial_text(search.tried[point]),
              search.chosen == point ? "   <- chosen" : "");
}

std::string accuracy_json(const Accuracy& accuracy) {
  Json json = Json::object();
  if (accuracy.comparison) json["comparison"] = comparison_json(*accuracy.comparison);
  if (accuracy.precision) json["precision_search"] = precision_json(*accuracy.precision);
  if (accuracy.validation) json["validation"] = validation_json(*accuracy.validation);
  return json.dump();
}

}  // namespace dlaexec::report
