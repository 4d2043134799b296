// An explanation as text and as JSON.
#include <nlohmann/json.hpp>

#include "place/explain.h"

namespace dlaexec::place {
namespace {

using nlohmann::ordered_json;

std::string device_text(const LayerExplanation& layer) {
  const std::string precision =
      layer.precision ? format(" {}", ir::text(*layer.precision)) : std::string();
  return (layer.device == ir::Device::Dla ? "DLA" : "GPU") + precision;
}

std::string gain_text(const Advice& advice, const std::string& error) {
  return advice.gain_seconds > 0 ? format(" (saves about {:.3g} ms of GPU time, modelled, {})",
                                          advice.gain_seconds * 1e3, error)
                                 : std::string();
}

std::string layer_text(const LayerExplanation& layer, const std::string& gpu_error) {
  std::string text = format("{}: {} ({})\n", layer.layer, device_text(layer), layer.type);
  if (layer.wish == ir::Device::Gpu) text += "  on the GPU by choice\n";
  for (const ir::Finding& finding : layer.findings)
    text +=
        format("  {}{}\n", finding.effect == ir::Effect::Warns ? "risk: " : "", finding.sentence());
  for (const Advice& advice : layer.advice)
    text += format("  to do: {}{}{}\n", advice.text, gain_text(advice, gpu_error),
                   advice.keeps_function ? "; the outputs stay the same" : "");
  return text;
}

ordered_json findings_json(const std::vector<ir::Finding>& findings) {
  ordered_json all = ordered_json::array();
  for (const ir::Finding& finding : findings)
    all.push_back({{"rule", finding.rule},
                   {"effect", ir::text(finding.effect)},
                   {"value", finding.value},
                   {"limit", finding.limit},
                   {"reason", finding.reason},
                   {"source", finding.source}});
  return all;
}

ordered_json advice_json(const std::vector<Advice>& advice) {
  ordered_json all = ordered_json::array();
  for (const Advice& each : advice)
    all.push_back({{"id", each.id},
                   {"text", each.text},
                   {"keeps_function", each.keeps_function},
                   {"modelled_gain_ms", each.gain_seconds * 1e3}});
  return all;
}

ordered_json layer_json(const LayerExplanation& layer) {
  ordered_json json = {{"layer", layer.layer},
                       {"type", layer.type},
                       {"wish", ir::text(layer.wish)},
                       {"device", ir::text(layer.device)}};
  json["precision"] = layer.precision ? ordered_json(ir::text(*layer.precision)) : ordered_json();
  json["segment"] = layer.segment.empty() ? ordered_json() : ordered_json(layer.segment);
  json["findings"] = findings_json(layer.findings);
  json["advice"] = advice_json(layer.advice);
  return json;
}

ordered_json crossings_json(const std::vector<Crossing>& crossings) {
  ordered_json all = ordered_json::array();
  for (const Crossing& crossing : crossings)
    all.push_back({{"tensor", crossing.tensor},
                   {"type", ir::text(crossing.type)},
                   {"format", ir::text(crossing.format)}});
  return all;
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  std::string text;
  for (const LayerExplanation& layer : explanation.layers)
    text += layer_text(layer, explanation.gpu_error);
  for (const Segment& segment : explanation.segments)
    text += format(
        "{}: {} layers; about {} ms on the DLA, {:.3g} ms of them at its borders, {:.3g} ms on "
        "the GPU (modelled: DLA {}, GPU {})\n",
        segment.name, segment.layers.size(),
        segment.dla_seconds ? format("{:.3g}", *segment.dla_seconds * 1e3) : "unknown",
        segment.border_seconds * 1e3, segment.gpu_seconds * 1e3, explanation.dla_error,
        explanation.gpu_error);
  for (const std::string& note : explanation.notes) text += format("note: {}\n", note);
  return text;
}

std::string explanation_json(const Explanation& explanation) {
  ordered_json layers = ordered_json::array(), segments = ordered_json::array();
  for (const LayerExplanation& layer : explanation.layers) layers.push_back(layer_json(layer));
  for (const Segment& segment : explanation.segments)
    segments.push_back(
        {{"name", segment.name},
         {"layers", segment.layers},
         {"inputs", crossings_json(segment.inputs)},
         {"outputs", crossings_json(segment.outputs)},
         {"modelled_dla_ms",
          segment.dla_seconds ? ordered_json(*segment.dla_seconds * 1e3) : ordered_json(nullptr)},
         {"modelled_border_ms", segment.border_seconds * 1e3},
         {"modelled_gpu_ms", segment.gpu_seconds * 1e3}});
  return ordered_json{{"schema", "dlaexec.explain/1"},      {"layers", std::move(layers)},
                      {"segments", std::move(segments)},    {"dla_error", explanation.dla_error},
                      {"gpu_error", explanation.gpu_error}, {"notes", explanation.notes}}
             .dump(2) +
         "\n";
}

}  // namespace dlaexec::place
