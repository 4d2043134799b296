#include "place/explain.h"

#include <algorithm>

#include "place/adjust.h"
#include "place/advice.h"
#include "place/estimate.h"

namespace dlaexec::place {
namespace {

using namespace ir;

/// The graph as it was before partition() wrote its decisions over the wishes.
Graph with_wishes(const Graph& graph, const Placement& placement) {
  Graph wished = graph;
  for (size_t i = 0; i < wished.nodes.size(); ++i) {
    wished.nodes[i].device = placement.layers[i].wish;
    wished.nodes[i].segment = -1;
  }
  return wished;
}

/// GPU time that the DLA saves, less what the borders of its segments cost.
double saved_seconds(const std::vector<Segment>& segments) {
  double saved = 0;
  for (const Segment& segment : segments)
    saved += segment.gpu_seconds - kToDlaSeconds * static_cast<double>(segment.inputs.size()) -
             kToGpuSeconds * static_cast<double>(segment.outputs.size());
  return saved;
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
        saved_(saved_seconds(placement.segments)) {}

  Explanation run() const {
    Explanation explanation;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) explanation.layers.push_back(layer(i));
    explanation.segments = placement_.segments;
    explanation.notes = notes();
    return explanation;
  }

 private:
  LayerExplanation layer(size_t index) const {
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
    return explained;
  }

  /// The rewrite of one layer, and what the whole network would gain by it.
  std::optional<Advice> rewrite_advice(size_t index) const {
    if (options_.platform == nullptr || options_.platform->dla_cores == 0) return std::nullopt;
    const dla::Target target{options_.platform->generation, options_.edition, DataType::Float16};
    Graph adjusted = wished_;
    const auto rewrite = adjust_layer(adjusted, index, target);
    if (!rewrite) return std::nullopt;
    give_dla_precision(adjusted, rewrite->layer);
    Options trial = options_;
    trial.gpu_fallback = true;
    trial.direct_io = false;
    trial.front_end = {};
    trial.layer_devices.clear();
    const Placement placement = partition(adjusted, trial);
    Advice advice{std::string(rewrite->id), std::string(rewrite->change)};
    advice.keeps_function = true;
    advice.gain_seconds = std::max(0.0, saved_seconds(placement.segments) - saved_);
    return advice;
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
  double saved_;
};

}  // namespace

Explanation explain(const Graph& graph, const Placement& placement, const Options& options) {
  DLAEXEC_CHECK(graph.nodes.size() == placement.layers.size());
  return Explainer(graph, placement, options).run();
}

}  // namespace dlaexec::place
