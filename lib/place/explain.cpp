#include "place/explain.h"

#include <algorithm>
#include <unordered_map>

#include "dla/clock.h"
#include "dla/gpu_roofline.h"
#include "ir/macs.h"
#include "place/adjust.h"
#include "place/advice.h"
#include "place/candidates.h"

namespace dlaexec::place {
namespace {

using namespace ir;

/// The graph as it was before decide() wrote its decisions over the wishes.
Graph with_wishes(const Graph& graph, const Placement& placement) {
  Graph wished = graph;
  for (size_t i = 0; i < wished.nodes.size(); ++i) {
    wished.nodes[i].device = placement.layers[i].wish;
    wished.nodes[i].segment = -1;
  }
  return wished;
}

/// Whether the layer itself is taken; that there were too many segments is no fault of its own.
bool is_taken(const LayerPlacement& layer) {
  return layer.wish == Device::Dla &&
         std::none_of(layer.findings.begin(), layer.findings.end(), [](const Finding& finding) {
           return finding.effect == Effect::Refuses && finding.rule != "place.cap";
         });
}

/// The most precise type that the DLA computes new layers in; a layer that stayed FP32 has another.
void give_dla_precision(Graph& graph, const std::string& layer) {
  for (Node& node : graph.nodes) {
    const bool made = node.name.starts_with(layer + "/");
    if (made && node.precision != DataType::Int8) node.precision = DataType::Float16;
  }
}

class Explainer {
 public:
  Explainer(const Graph& graph, const Placement& placement, const Options& options)
      : graph_(graph),
        placement_(placement),
        options_(options),
        wished_(with_wishes(graph, placement)),
        trial_(graph),
        benefit_(total_benefit(graph, taken(), options)) {}

  Explanation run() {
    Explanation explanation;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) explanation.layers.push_back(layer(i));
    explanation.segments = placement_.segments;
    explanation.notes = notes();
    explanation.dla_error =
        dla::error_text(dla::stated_error(options_.platform->generation, dla_precision()));
    explanation.gpu_error = dla::error_text(dla::kRooflineError);
    return explanation;
  }

 private:
  /// That of most layers on the DLA.
  DataType dla_precision() const {
    int64_t int8 = 0, all = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (placement_.layers[i].device != Device::Dla) continue;
      ++all;
      int8 += graph_.nodes[i].precision == DataType::Int8;
    }
    return 2 * int8 >= all ? DataType::Int8 : DataType::Float16;
  }

  LayerExplanation layer(size_t index) {
    const LayerPlacement& placed = placement_.layers[index];
    const Node& node = graph_.nodes[index];
    LayerExplanation explained;
    explained.layer = placed.layer;
    explained.type = placed.type;
    explained.wish = placed.wish;
    explained.device = placed.device;
    explained.precision = node.precision;
    explained.findings = placed.findings;
    if (placed.segment >= 0)
      explained.segment = placement_.segments[static_cast<size_t>(placed.segment)].name;
    if (placed.wish != Device::Dla) return explained;
    if (placed.device == Device::Gpu)
      if (auto advice = rewrite_advice(index)) explained.advice.push_back(std::move(*advice));
    for (Advice& advice : advice_for(graph_, node, placed.findings))
      explained.advice.push_back(std::move(advice));
    if (placed.device == Device::Gpu) add_gain_of_move(index, explained.advice);
    return explained;
  }

  std::vector<char> taken() const {
    std::vector<char> on_dla;
    for (const LayerPlacement& layer : placement_.layers) on_dla.push_back(is_taken(layer));
    return on_dla;
  }

  bool has_dla() const { return options_.platform != nullptr && options_.platform->dla_cores > 0; }

  /// What the network would gain if nothing stood against the layer any more, for the advice whose
  /// own gain is not known.
  void add_gain_of_move(size_t index, std::vector<Advice>& advice) {
    if (advice.empty() || !has_dla()) return;
    std::vector<char> on_dla = taken();
    on_dla[index] = 1;
    std::optional<DataType>& precision = trial_.nodes[index].precision;
    const auto before = precision;
    if (before != DataType::Int8) precision = DataType::Float16;
    const double gain = std::max(0.0, total_benefit(trial_, on_dla, options_) - benefit_);
    precision = before;
    for (Advice& each : advice)
      if (!each.keeps_function) each.gain_seconds = gain;
  }

  /// The rewrite of one layer, and what the whole network would gain by it.
  std::optional<Advice> rewrite_advice(size_t index) const {
    if (!has_dla()) return std::nullopt;
    const dla::Target target{options_.platform->generation, options_.edition, DataType::Float16};
    Graph adjusted = wished_;
    const auto rewrite = adjust_layer(adjusted, index, target);
    if (!rewrite) return std::nullopt;
    give_dla_precision(adjusted, rewrite->layer);
    Advice advice{std::string(rewrite->id), std::string(rewrite->change)};
    advice.keeps_function = true;
    const double benefit = total_benefit(adjusted, taken_in(adjusted, target), options_);
    advice.gain_seconds = std::max(0.0, benefit - benefit_);
    return advice;
  }

  /// Layers that the DLA takes in a rewritten network: new ones that break no rule, and the others
  /// as before.
  std::vector<char> taken_in(const Graph& adjusted, dla::Target target) const {
    std::unordered_map<std::string_view, const LayerPlacement*> before;
    for (const LayerPlacement& layer : placement_.layers) before.emplace(layer.layer, &layer);
    std::vector<char> on_dla;
    for (const Node& node : adjusted.nodes) {
      const auto old = before.find(node.name);
      target.precision = node.precision.value_or(DataType::Float16);
      on_dla.push_back(old != before.end() ? is_taken(*old->second)
                                           : !refuses(dla::check(adjusted, node, target)));
    }
    return on_dla;
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> all;
    if (const auto note = slow_fp16()) all.push_back(*note);
    if (!placement_.dropped.empty())
      all.push_back(format("{} segments are on the GPU because a core holds no more loadables",
                           placement_.dropped.size()));
    return all;
  }

  /// Orin convolves FP16 on another engine: said when that is most of the work on the DLA.
  std::optional<std::string> slow_fp16() const {
    if (!options_.platform || options_.platform->generation != dla::Generation::Orin)
      return std::nullopt;
    double fp16 = 0, all = 0;
    for (const Node& node : graph_.nodes) {
      if (node.device != Device::Dla) continue;
      const double macs = macs_of(graph_, node);
      all += macs;
      if (node.precision == DataType::Float16) fp16 += macs;
    }
    if (all == 0 || fp16 < all / 2) return std::nullopt;
    return "Orin's DLA convolves FP16 many times slower than INT8, and most of the work here is "
           "FP16: --int8 with calibration is what it is made for";
  }

  const Graph& graph_;
  const Placement& placement_;
  const Options& options_;
  Graph wished_;
  Graph trial_;     ///< the graph, for what-if questions; as it was after each
  double benefit_;  ///< GPU time that the DLA saves as the layers are placed
};

}  // namespace

Explanation explain(const Graph& graph, const Placement& placement, const Options& options) {
  DLAEXEC_CHECK(graph.nodes.size() == placement.layers.size());
  return Explainer(graph, placement, options).run();
}

}  // namespace dlaexec::place
