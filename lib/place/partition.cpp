#include <algorithm>
#include <numeric>

#include "dla/layer_facts.h"
#include "ir/dla_formats.h"
#include "place/estimate.h"
#include "place/formats.h"
#include "place/placement.h"
#include "place/segments.h"

namespace dlaexec::place {
namespace {

using namespace ir;
using Segments = std::vector<std::vector<int>>;

Finding finding_of(std::string rule, std::string value, std::string limit, std::string reason,
                   std::string log) {
  Finding finding;
  finding.rule = std::move(rule);
  finding.value = std::move(value);
  finding.limit = std::move(limit);
  finding.reason = std::move(reason);
  finding.source = "placement";
  finding.log = std::move(log);
  return finding;
}

std::string segment_name(const Graph& graph, const std::vector<int>& nodes) {
  const auto name = [&](int index) { return graph.nodes[static_cast<size_t>(index)].name; };
  if (nodes.size() == 1) return format("{{ForeignNode[{}]}}", name(nodes.front()));
  return format("{{ForeignNode[{}...{}]}}", name(nodes.front()), name(nodes.back()));
}

/// Decides the placement of one graph; each step narrows what the one before left on the DLA.
class Partitioner {
 public:
  Partitioner(Graph& graph, const Options& options)
      : graph_(graph), options_(options), on_dla_(graph.nodes.size(), 0) {}

  Placement run() {
    placement_.unmatched_patterns = unmatched_patterns(graph_, options_);
    check_layers();
    require_fallback();
    Segments segments = form();
    placement_.candidates = static_cast<int>(segments.size());
    while (split_at_refusal(segments)) segments = form();
    enforce_cap(segments);
    require_fallback();
    settle(segments);
    if (options_.direct_io || !options_.gpu_fallback)
      require_direct_edges(graph_, placement_, options_);
    return std::move(placement_);
  }

 private:
  const dla::PowerMode& mode() const {
    return options_.mode ? *options_.mode : options_.platform->modes.front();
  }

  /// Every layer against every rule, as the user named it. Rules on HWC4 look at the inputs' types
  /// and formats, which are the user's while the rules look and the graph's own again afterwards.
  void check_layers() {
    const std::vector<Value> values = show_hwc4_inputs();
    check_each_layer();
    for (size_t i = 0; i < values.size(); ++i) graph_.value(graph_.inputs[i]) = values[i];
  }

  /// Gives inputs that the user wants as HWC4 that type and format; returns the inputs as they
  /// were.
  std::vector<Value> show_hwc4_inputs() {
    std::vector<Value> values;
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      Value& value = graph_.value(graph_.inputs[i]);
      values.push_back(value);
      const EdgeFormat* wish = wish_at(options_.input_formats, i);
      if (!wish || wish->formats.size() != 1) continue;
      if (at_dla(wish->formats[0]) != Format::DlaHwc4) continue;
      value.type = wish->type;
      value.format = Format::DlaHwc4;
    }
    return values;
  }

  void check_each_layer() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      LayerPlacement layer;
      layer.layer = node.name;
      layer.type = info(node.op).layer_type;
      layer.wish = node.device.value_or(options_.default_device);
      if (layer.wish == Device::Dla) {
        layer.findings = findings_of(node);
        on_dla_[i] = !refuses(layer.findings);
      }
      placement_.layers.push_back(std::move(layer));
    }
  }

  std::vector<Finding> findings_of(const Node& node) const {
    DLAEXEC_CHECK(options_.platform != nullptr);
    if (options_.platform->dla_cores == 0)
      return {finding_of("place.no-dla", std::string(options_.platform->name),
                         "a platform with a DLA", "This platform has no DLA.",
                         "DLA is not available on this platform.")};
    const dla::Target target{options_.platform->generation, options_.edition,
                             node.precision.value_or(DataType::Float16)};
    return dla::check(graph_, node, target);
  }

  /// Ends the build when something that wishes the DLA has to leave it and may not.
  void require_fallback() const {
    if (options_.gpu_fallback) return;
    std::vector<std::string> offenders;
    for (const LayerPlacement& layer : placement_.layers) {
      if (layer.wish != Device::Dla || !refuses(layer.findings)) continue;
      std::vector<std::string> reasons;
      for (const Finding& finding : layer.findings)
        if (finding.effect == Effect::Refuses) reasons.push_back(finding.sentence());
      offenders.push_back(format("\n  {} ({}): {}", layer.layer, layer.type, join(reasons, "; ")));
    }
    if (offenders.empty()) return;
    fail(
        "{} of {} layers cannot run on the DLA, and GPU fallback is off; give --allowGPUFallback, "
        "or change these layers:{}",
        offenders.size(), placement_.layers.size(), join(offenders, ""));
  }

  Segments form() const {
    std::vector<int64_t> batch(graph_.nodes.size(), 0);
    const bool one_batch = options_.platform &&
                           options_.platform->generation == dla::Generation::Orin &&
                           options_.edition == dla::Edition::V10;
    for (size_t i = 0; one_batch && i < batch.size(); ++i)
      if (on_dla_[i])
        batch[i] = dla::batch_of(dims_of(graph_.value(graph_.nodes[i].outputs[0]).shape));
    return form_segments(graph_, on_dla_, batch);
  }

  void send_to_gpu(int index, Finding finding) {
    on_dla_[static_cast<size_t>(index)] = 0;
    placement_.layers[static_cast<size_t>(index)].findings.push_back(std::move(finding));
  }

  /// Asks the compiler about each segment; true if a layer left and the rest must be formed anew.
  bool split_at_refusal(const Segments& segments) {
    if (!options_.front_end) return false;
    bool changed = false;
    for (const std::vector<int>& nodes : segments) {
      const auto refusal = options_.front_end(extract(graph_, nodes, segment_name(graph_, nodes)));
      if (!refusal) continue;
      changed = true;
      const auto named = std::find_if(nodes.begin(), nodes.end(), [&](int index) {
        return graph_.nodes[static_cast<size_t>(index)].name == refusal->layer;
      });
      if (named != nodes.end()) {
        send_to_gpu(*named, compiler_finding(refusal->reason, refusal->layer));
        continue;
      }
      for (const int index : nodes)  // no single layer is to blame: the combination goes as a whole
        send_to_gpu(index, combination_finding(refusal->reason, segment_name(graph_, nodes)));
    }
    return changed;
  }

  static Finding compiler_finding(const std::string& reason, const std::string& layer) {
    return finding_of(
        "place.compiler", reason, "a layer that the DLA compiler can lower", reason,
        format("Validation failed for DLA layer: {}. {} Splitting DLA subgraph at: {}", layer,
               reason, layer));
  }
  static Finding combination_finding(const std::string& reason, const std::string& segment) {
    return finding_of("place.combination", segment, "a segment that the DLA compiler can lower",
                      reason,
                      format("Validation failed for DLA subgraph: {}. {}", segment, reason));
  }

  Segment describe(const std::vector<int>& nodes) const {
    Segment segment;
    segment.name = segment_name(graph_, nodes);
    choose_formats(graph_, nodes, options_, segment);
    for (const int index : nodes) {
      const Node& node = graph_.nodes[static_cast<size_t>(index)];
      segment.layers.push_back(node.name);
      segment.dla_seconds += dla_seconds(graph_, node, *options_.platform, mode());
      segment.gpu_seconds += gpu_seconds(graph_, node, *options_.platform, mode());
    }
    segment.dla_seconds += kToDlaSeconds * static_cast<double>(segment.inputs.size()) +
                           kToGpuSeconds * static_cast<double>(segment.outputs.size());
    return segment;
  }

  /// GPU time that a segment saves, less what its borders cost the GPU.
  static double benefit(const Segment& segment) {
    return segment.gpu_seconds - kToDlaSeconds * static_cast<double>(segment.inputs.size()) -
           kToGpuSeconds * static_cast<double>(segment.outputs.size());
  }

  /// Keeps at most as many segments as a core holds.
  void enforce_cap(Segments& segments) {
    if (segments.empty()) return;
    const size_t rule =
        static_cast<size_t>(dla::loadable_cap(options_.platform->generation, options_.edition));
    const size_t cap = std::min(rule, static_cast<size_t>(options_.loadable_cap.value_or(1 << 20)));
    if (segments.size() <= cap) return;
    std::vector<Segment> described;
    for (const std::vector<int>& nodes : segments) described.push_back(describe(nodes));
    std::vector<size_t> order(segments.size());
    std::iota(order.begin(), order.end(), size_t{0});
    if (options_.order == SubgraphOrder::Benefit)
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return benefit(described[a]) > benefit(described[b]);
      });
    std::sort(order.begin() + static_cast<ptrdiff_t>(cap), order.end());
    for (size_t i = cap; i < order.size(); ++i) drop(segments[order[i]], described[order[i]], cap);
    order.resize(cap);
    std::sort(order.begin(), order.end());
    Segments kept;
    for (const size_t index : order) kept.push_back(std::move(segments[index]));
    segments = std::move(kept);
  }

  void drop(const std::vector<int>& nodes, const Segment& segment, size_t cap) {
    for (const int index : nodes) {
      const std::string& layer = graph_.nodes[static_cast<size_t>(index)].name;
      send_to_gpu(index,
                  finding_of("place.cap", segment.name, format("at most {} loadables", cap),
                             "A core holds no more loadables, and others save more GPU time.",
                             format("DLA supports only {} subgraphs per DLA core. Switching to GPU "
                                    "for layer {}.",
                                    cap, layer)));
    }
    placement_.dropped.push_back(segment);
  }

  /// Writes the result into the graph and the placement.
  void settle(const Segments& segments) {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      graph_.nodes[i].device = placement_.layers[i].device = Device::Gpu;
      graph_.nodes[i].segment = placement_.layers[i].segment = -1;
    }
    for (size_t s = 0; s < segments.size(); ++s) {
      placement_.segments.push_back(describe(segments[s]));
      for (const int index : segments[s]) {
        const auto at = static_cast<size_t>(index);
        graph_.nodes[at].device = placement_.layers[at].device = Device::Dla;
        graph_.nodes[at].segment = placement_.layers[at].segment = static_cast<int>(s);
      }
    }
  }

  Graph& graph_;
  const Options& options_;
  std::vector<char> on_dla_;
  Placement placement_;
};

}  // namespace

Placement partition(Graph& graph, const Options& options) {
  return Partitioner(graph, options).run();
}

}  // namespace dlaexec::place
