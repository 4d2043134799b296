#include "quant/quant.h"

#include "base/log.h"
#include "quant/explicit.h"
#include "quant/precision.h"
#include "quant/ranges.h"
#include "quant/sharing.h"

namespace dlaexec::quant {
namespace {

RangeSource assign_ranges(ir::Graph& graph, const Options& options, Report& report) {
  if (!options.int8) return RangeSource::None;
  if (has_explicit_quantization(graph)) {
    report.translation = remove_explicit(graph);
    apply_scales(graph, options.scales);  // passes the found scales on, too
    derive_scales(graph);
    return RangeSource::Explicit;
  }
  apply_scales(graph, options.scales);
  if (!options.scales.empty()) return RangeSource::Given;
  apply_fixed_ranges(graph);
  return RangeSource::Fixed;
}

}  // namespace

Report assign(ir::Graph& graph, const Options& options) {
  Report report;
  report.source = assign_ranges(graph, options, report);
  if (options.int8) report.tensors_without_scale = tensors_without_scale(graph);
  assign_precisions(graph, options, report);
  if (options.int8 && options.dla) {
    report.range_changes = share_dla_ranges(graph);
    lift_wide_resizes(graph, report);
  }
  return report;
}

void log_report(const Report& report) {
  if (report.source == RangeSource::Fixed)
    log::warning(
        "INT8 without calibration data, cache or Q/DQ layers: all tensors get fixed ranges "
        "(+-4, +-2 for inputs and pooling). Good for timing; the outputs mean nothing");
  if (report.source == RangeSource::Explicit)
    log::info(
        "{} Q/DQ layers became scales of tensors; layers on tensors without one do not run in INT8",
        report.translation.removed);
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
  for (const RangeChange& change : report.range_changes)
    log::verbose("range of tensor {} widened from +-{:.6g} to +-{:.6g} for layer {}: {}",
                 change.tensor, change.before, change.after, change.layer, change.reason);
  if (!report.range_changes.empty())
    log::info(
        "{} tensors got a wider INT8 range, as the DLA's concatenation, pooling and "
        "elementwise layers need; --verbose lists them",
        report.range_changes.size());
  for (const PrecisionNote& note : report.notes)
    log::verbose("layer {} computes in {} and not in {}: {}", note.layer, ir::text(note.got),
                 ir::text(note.wanted), note.reason);
  for (const std::string& pattern : report.unmatched_patterns)
    log::warning("--layerPrecisions: no layer is called '{}'", pattern);
}

}  // namespace dlaexec::quant
