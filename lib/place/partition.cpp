#include <algorithm>
#include <map>
#include <numeric>

#include "ir/dla_formats.h"
#include "place/candidates.h"

namespace dlaexec::place {
namespace {

using namespace ir;
using Segments = std::vector<Nodes>;

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

/// @p text with a full stop at its end.
std::string sentence(const std::string& text) { return text.ends_with('.') ? text : text + "."; }

/// Decides the placement of one graph; each step narrows what the one before left on the DLA.
class Partitioner {
 public:
  Partitioner(Graph& graph, const Options& options)
      : graph_(graph),
        options_(options),
        links_(graph),
        on_dla_(graph.nodes.size(), 0),
        piece_(graph.nodes.size(), 0) {}

  Placement run() {
    placement_.unmatched_patterns = unmatched_patterns(graph_, options_);
    check_layers();
    Segments segments = form();
    placement_.candidates = static_cast<int>(segments.size());
    while (split_at_refusal(segments)) segments = form();
    enforce_cap(segments);
    settle(segments);
    return std::move(placement_);
  }

 private:
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

  Segments form() const { return form_candidates(graph_, on_dla_, piece_, options_); }

  void send_to_gpu(int index, Finding finding) {
    on_dla_[static_cast<size_t>(index)] = 0;
    placement_.layers[static_cast<size_t>(index)].findings.push_back(std::move(finding));
  }

  /// Asks the compiler about @p nodes as one loadable, and remembers how long that takes.
  std::optional<FrontEndRefusal> ask(const Nodes& nodes) {
    const std::string name = segment_name(graph_, nodes);
    Graph segment = extract(graph_, nodes, name);
    Segment borders;
    choose_formats(graph_, links_, nodes, options_, borders);
    for (const auto* side : {&borders.inputs, &borders.outputs})
      for (const Crossing& crossing : *side) {
        Value& value = segment.value(segment.find_value(crossing.tensor).value());
        if (!is_float(value.type)) continue;  // what a comparison gives
        value.type = crossing.type;
        value.format = crossing.format;
      }
    FrontEndAnswer answer = options_.front_end(segment);
    if (answer.seconds) compiled_seconds_[name] = *answer.seconds;
    return std::move(answer.refusal);
  }

  /// Asks the compiler about each segment; true if a layer left, or a segment is to be two, and the
  /// rest must be formed anew.
  bool split_at_refusal(const Segments& segments) {
    if (!options_.front_end) return false;
    bool changed = false;
    for (const Nodes& nodes : segments) {
      const auto refusal = ask(nodes);
      if (!refusal) continue;
      changed = true;
      if (refusal->too_large)
        cut_in_two(nodes, refusal->reason);
      else
        remove_refused(nodes, *refusal);
    }
    return changed;
  }

  void remove_refused(const Nodes& nodes, const FrontEndRefusal& refusal) {
    const auto named = std::find_if(nodes.begin(), nodes.end(), [&](int index) {
      return graph_.nodes[static_cast<size_t>(index)].name == refusal.layer;
    });
    if (named != nodes.end())
      return send_to_gpu(*named, compiler_finding(refusal.reason, refusal.layer));
    for (const int index : nodes)  // no single layer is to blame: the combination goes as a whole
      send_to_gpu(index, combination_finding(refusal.reason, segment_name(graph_, nodes)));
  }

  /// Makes the longest beginning that fits the memory pools a segment of its own. A beginning and
  /// the rest of a segment never form a cycle: no path leaves the segment and comes back.
  void cut_in_two(const Nodes& nodes, const std::string& reason) {
    size_t fits = 0, too_large = nodes.size();
    while (too_large - fits > 1) {
      const size_t middle = (fits + too_large) / 2;
      const auto refusal =
          ask(Nodes(nodes.begin(), nodes.begin() + static_cast<ptrdiff_t>(middle)));
      (refusal && refusal->too_large ? too_large : fits) = middle;
    }
    const Node& first_out =
        graph_.nodes[static_cast<size_t>(nodes[std::min(fits, nodes.size() - 1)])];
    if (fits == 0) return send_to_gpu(nodes[0], compiler_finding(reason, first_out.name));
    for (size_t i = 0; i < nodes.size(); ++i)
      piece_[static_cast<size_t>(nodes[i])] = pieces_ + (i < fits ? 1 : 2);
    pieces_ += 2;
    Finding finding = finding_of(
        "place.pool", segment_name(graph_, nodes), "a segment that fits the DLA's memory pools",
        reason, format("{} Splitting DLA subgraph at: {}", sentence(reason), first_out.name));
    finding.effect = Effect::Warns;
    placement_.layers[static_cast<size_t>(nodes[fits])].findings.push_back(std::move(finding));
  }

  static Finding compiler_finding(const std::string& reason, const std::string& layer) {
    return finding_of(
        "place.compiler", layer, "a layer that the DLA compiler can lower",
        format("Its answer: {}", sentence(reason)),
        format("Validation failed for DLA layer: {}. {} Splitting DLA subgraph at: {}", layer,
               sentence(reason), layer));
  }
  static Finding combination_finding(const std::string& reason, const std::string& segment) {
    return finding_of(
        "place.combination", segment, "a segment that the DLA compiler can lower",
        format("Its answer: {}", sentence(reason)),
        format("Validation failed for DLA subgraph: {}. {}", segment, sentence(reason)));
  }

  Segment describe_timed(const Nodes& nodes) const {
    Segment segment = describe(graph_, links_, nodes, options_);
    const auto compiled = compiled_seconds_.find(segment.name);
    if (compiled != compiled_seconds_.end())
      segment.dla_seconds = compiled->second + segment.border_seconds;
    return segment;
  }

  /// Keeps at most as many segments as a core holds.
  void enforce_cap(Segments& segments) {
    if (segments.empty()) return;
    const size_t cap = loadable_cap(options_);
    if (segments.size() <= cap) return;
    std::vector<Segment> described;
    for (const Nodes& nodes : segments) described.push_back(describe_timed(nodes));
    std::vector<size_t> order(segments.size());
    std::iota(order.begin(), order.end(), size_t{0});
    if (options_.order == SubgraphOrder::Benefit)
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return benefit(described[a]) > benefit(described[b]);
      });
    std::sort(order.begin() + static_cast<ptrdiff_t>(cap), order.end());
    for (size_t i = cap; i < order.size(); ++i)
      drop(segments[order[i]], described[order[i]], segments.size(), cap);
    order.resize(cap);
    std::sort(order.begin(), order.end());
    Segments kept;
    for (const size_t index : order) kept.push_back(std::move(segments[index]));
    segments = std::move(kept);
  }

  void drop(const Nodes& nodes, const Segment& segment, size_t candidates, size_t cap) {
    const std::string reason =
        format("A core holds no more loadables, and others {} than {}.",
               options_.order == SubgraphOrder::Benefit ? "save more GPU time"
                                                        : "come earlier in the network",
               segment.name);
    for (const int index : nodes) {
      const std::string& layer = graph_.nodes[static_cast<size_t>(index)].name;
      send_to_gpu(index,
                  finding_of("place.cap", format("{} candidates", candidates),
                             format("at most {} loadables", cap), reason,
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
      placement_.segments.push_back(describe_timed(segments[s]));
      for (const int index : segments[s]) {
        const auto at = static_cast<size_t>(index);
        graph_.nodes[at].device = placement_.layers[at].device = Device::Dla;
        graph_.nodes[at].segment = placement_.layers[at].segment = static_cast<int>(s);
      }
    }
  }

  Graph& graph_;
  const Options& options_;
  const Links links_;
  std::vector<char> on_dla_;
  std::vector<int64_t> piece_;  ///< of a segment that was cut to fit its memory; 0: not cut
  int64_t pieces_ = 0;
  std::map<std::string, double> compiled_seconds_;  ///< by segment, on one core
  Placement placement_;
};

}  // namespace

Placement decide(Graph& graph, const Options& options) { return Partitioner(graph, options).run(); }

Placement partition(Graph& graph, const Options& options) {
  Placement placement = decide(graph, options);
  require_allowed(graph, placement, options);
  return placement;
}

}  // namespace dlaexec::place
