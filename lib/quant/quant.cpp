#include "quant/quant.h"

#include <algorithm>

#include "base/log.h"
#include "quant/explicit.h"
#include "quant/precision.h"
#include "quant/ranges.h"
#include "quant/sharing.h"

namespace dlaexec::quant {
namespace {

/// Gives tensors that have none yet what @p scales say.
void fill_in(ir::Graph& graph, Scales scales) {
  for (const ir::Value& value : graph.values)
    if (value.quantization.is_known()) scales.erase(value.name);
  apply_scales(graph, scales);
}

Scales known_scales(const ir::Graph& graph) {
  Scales scales;
  for (const ir::Value& value : graph.values)
    if (takes_range(value) && value.quantization.scales.size() == 1)
      scales[value.name] = value.quantization.scales[0];
  return scales;
}

RangeSource translate(ir::Graph& graph, const Options& options, Report& report) {
  report.translation = remove_explicit(graph);
  apply_scales(graph, options.scales);  // passes the found scales on, too
  report.derived = derive_scales(graph);
  if (options.qdq == QdqLayers::Translated)
    for (std::string& tensor : derive_near_scales(graph))
      report.derived.push_back(std::move(tensor));
  if (options.calibrate && !tensors_without_scale(graph).empty())
    fill_in(graph, options.calibrate(graph));
  return RangeSource::Explicit;
}

RangeSource assign_ranges(ir::Graph& graph, const Options& options, Report& report) {
  if (!options.int8) return RangeSource::None;
  if (has_explicit_quantization(graph) && options.qdq != QdqLayers::Kept)
    return translate(graph, options, report);
  const bool ranges_are_set = !known_scales(graph).empty();
  if (options.calibrate && options.scales.empty()) {
    fill_in(graph, options.calibrate(graph));
    return RangeSource::Calibrated;
  }
  if (!options.scales.empty() || ranges_are_set) {
    apply_scales(graph, options.scales);
    return RangeSource::Given;
  }
  if (has_explicit_quantization(graph)) return RangeSource::Explicit;
  apply_fixed_ranges(graph);
  return RangeSource::Fixed;
}

std::vector<LayerPrecision> layer_precisions(const ir::Graph& graph) {
  std::vector<LayerPrecision> precisions;
  for (const ir::Node& node : graph.nodes)
    if (node.precision)
      for (const std::string& layer : node.origins) precisions.push_back({layer, *node.precision});
  return precisions;
}

std::string_view origin_text(RangeSource source) {
  return source == RangeSource::Calibrated ? "calibration" : "what the user gave";
}

void log_explicit(const Report& report) {
  if (report.qdq == QdqLayers::Kept)
    log::warning("the network's Q/DQ layers stay as they are: no layer runs in INT8");
  else if (report.qdq == QdqLayers::Translated)
    log::info(
        "--translateQDQ (on with --useDLACore): {} Q/DQ layers became dynamic ranges, the ranges "
        "of {} more tensors follow from their neighbours'",
        report.translation.removed, report.derived.size());
  else
    log::info(
        "{} Q/DQ layers became scales of tensors; layers on tensors without one do not run in "
        "INT8",
        report.translation.removed);
}

void log_origin(const Report& report) {
  switch (report.source) {
    case RangeSource::None:
      return;
    case RangeSource::Fixed:
      log::warning(
          "INT8 without calibration data, cache or Q/DQ layers: all tensors get fixed ranges "
          "(+-4, +-2 for inputs and pooling). Good for timing; the outputs mean nothing");
      return;
    case RangeSource::Explicit:
      log_explicit(report);
      return;
    case RangeSource::Given:
    case RangeSource::Calibrated:
      log::info("INT8 ranges of {} tensors are from {}", report.scales.size(),
                report.scales_from.empty() ? origin_text(report.source) : report.scales_from);
  }
}

/// Ranges that the DLA's rules widened so much that INT8 hardly tells their numbers apart.
void warn_of_ruined_tensors(const Report& report) {
  const auto ratio = [](const RangeChange& change) { return change.after / change.before; };
  const auto is_ruined = [&](const RangeChange& change) { return ratio(change) > kMostWidening; };
  const auto& changes = report.range_changes;
  const auto count = std::count_if(changes.begin(), changes.end(), is_ruined);
  if (count == 0) return;
  const RangeChange& worst = *std::max_element(
      changes.begin(), changes.end(),
      [&](const RangeChange& a, const RangeChange& b) { return ratio(a) < ratio(b); });
  log::warning(
      "{} tensors keep less than 1/{} of their INT8 steps, because the DLA wants them on one range "
      "with larger ones; most of all {} (+-{:.6g} became +-{:.6g} for layer {}). With --fp16 the "
      "layers that ask for it leave INT8",
      count, kMostWidening, worst.tensor, worst.before, worst.after, worst.layer);
}

/// What was done about a cosine that is too small, or could be.
std::string remedy(const Lifted& lifted) {
  if (lifted.of == 0) return "no step computes in INT8, so none can leave it";
  if (lifted.layers.empty()) return "with --fp16 the layers that cost most could leave INT8";
  const bool is_enough = lifted.cosine_after >= lifted.least_cosine;
  return format("so the layers that cost most leave it, {} of {}: {:.4f}{}; --verbose lists them",
                lifted.steps, lifted.of, lifted.cosine_after,
                is_enough ? "" : ", which is still less");
}

void log_lifted(const Lifted& lifted) {
  if (lifted.samples == 0) return;
  if (lifted.layers.empty() && lifted.cosine_before >= lifted.least_cosine) {
    log::info("INT8 keeps a cosine of {:.4f} to FP32 on {} of the samples it was calibrated on",
              lifted.cosine_before, lifted.samples);
    return;
  }
  log::warning(
      "INT8 throughout keeps a cosine of {:.4f} to FP32 on {} of the samples it was calibrated on, "
      "less than --calibCosine={}; {}",
      lifted.cosine_before, lifted.samples, lifted.least_cosine, remedy(lifted));
}

}  // namespace

std::string to_text(const RangeChange& change) {
  return format(
      "range of tensor {} widened from +-{:.6g} to +-{:.6g} for layer {}, which leaves its numbers "
      "{:.0f} of 127 steps: {}",
      change.tensor, change.before, change.after, change.layer, 127 * change.before / change.after,
      change.reason);
}

Report assign(ir::Graph& graph, const Options& options) {
  Report report;
  report.source = assign_ranges(graph, options, report);
  report.qdq = options.qdq;
  report.scales_from = options.scales_from;
  report.scales = known_scales(graph);
  if (options.int8) report.tensors_without_scale = tensors_without_scale(graph);
  Options settled = options;
  settled.calibrate = nullptr;
  settled.lift = nullptr;
  if (report.source == RangeSource::Calibrated && options.lift) {
    report.lifted = options.lift(graph, settled);
    settled.lifted.insert(report.lifted.layers.begin(), report.lifted.layers.end());
  }
  assign_precisions(graph, settled, report);
  if (options.int8 && options.dla) {
    if (options.fp16) lift_unequal_layers(graph, report);
    report.range_changes = share_dla_ranges(graph);
    lift_wide_resizes(graph, report);
  }
  report.precisions = layer_precisions(graph);
  return report;
}

void log_report(const Report& report) {
  log_origin(report);
  for (const std::string& tensor : report.translation.made_symmetric)
    log::verbose(
        "tensor {} has a zero point; its INT8 range is symmetric here and covers the same numbers",
        tensor);
  for (const std::string& tensor : report.tensors_without_scale)
    if (report.source == RangeSource::Given)
      log::warning(
          "Missing scale and zero-point for tensor {}, expect fall back to non-int8 "
          "implementation for any layer consuming or producing given tensor",
          tensor);
  for (const RangeChange& change : report.range_changes) log::verbose("{}", to_text(change));
  if (!report.range_changes.empty())
    log::info(
        "{} tensors got a wider INT8 range, as the DLA's concatenation, pooling and "
        "elementwise layers need; --verbose lists them",
        report.range_changes.size());
  warn_of_ruined_tensors(report);
  log_lifted(report.lifted);
  if (report.between_qdq > 0)
    log::warning(
        "{} layers between the network's Q/DQ layers compute in FP32; with --int8 they run in INT8",
        report.between_qdq);
  for (const PrecisionNote& note : report.notes)
    log::verbose("layer {} computes in {} and not in {}: {}", note.layer, ir::text(note.got),
                 ir::text(note.wanted), note.reason);
  for (const std::string& pattern : report.unmatched_patterns)
    log::warning("--layerPrecisions: no layer is called '{}'", pattern);
}

}  // namespace dlaexec::quant
