#include "place/candidates.h"

#include <algorithm>
#include <numeric>

#include "dla/clock.h"
#include "dla/layer_facts.h"
#include "place/gpu_roofline.h"
#include "place/segments.h"

namespace dlaexec::place {
namespace {

using namespace ir;

/// The batch of each layer on the DLA where the rules keep batches apart, else 0.
std::vector<int64_t> batches(const Graph& graph, const std::vector<char>& on_dla,
                             const Options& options) {
  std::vector<int64_t> batch(graph.nodes.size(), 0);
  if (!options.platform || !dla::keeps_batches_apart(options.platform->generation, options.edition))
    return batch;
  for (size_t i = 0; i < batch.size(); ++i)
    if (on_dla[i]) batch[i] = dla::batch_of(dims_of(graph.value(graph.nodes[i].outputs[0]).shape));
  return batch;
}

const dla::PowerMode& mode_of(const Options& options) {
  return options.mode ? *options.mode : options.platform->modes.front();
}

}  // namespace

std::vector<Nodes> form_candidates(const Graph& graph, const std::vector<char>& on_dla,
                                   const std::vector<int64_t>& piece, const Options& options) {
  return form_segments(graph, on_dla, {batches(graph, on_dla, options), piece});
}

std::string segment_name(const Graph& graph, const Nodes& nodes) {
  const auto name = [&](int index) { return graph.nodes[static_cast<size_t>(index)].name; };
  if (nodes.size() == 1) return format("{{ForeignNode[{}]}}", name(nodes.front()));
  return format("{{ForeignNode[{}...{}]}}", name(nodes.front()), name(nodes.back()));
}

Segment describe(const Graph& graph, const Links& links, const Nodes& nodes,
                 const Options& options) {
  Segment segment;
  segment.name = segment_name(graph, nodes);
  choose_formats(graph, links, nodes, options, segment);
  for (const int index : nodes) {
    const Node& node = graph.nodes[static_cast<size_t>(index)];
    segment.layers.push_back(node.name);
    segment.gpu_seconds += gpu_seconds(graph, node, *options.platform, mode_of(options));
  }
  for (const Crossing& crossing : segment.inputs)
    segment.border_seconds += dla::to_dla_seconds(crossing.bytes);
  for (const Crossing& crossing : segment.outputs)
    segment.border_seconds += dla::to_gpu_seconds(crossing.bytes);
  return segment;
}

size_t loadable_cap(const Options& options) {
  const int rule = dla::loadable_cap(options.platform->generation, options.edition);
  return static_cast<size_t>(std::min(rule, options.loadable_cap.value_or(rule)));
}

double total_benefit(const Graph& graph, const std::vector<char>& on_dla, const Options& options) {
  const std::vector<int64_t> no_pieces(graph.nodes.size(), 0);
  const Links links(graph);
  std::vector<double> benefits;
  for (const Nodes& nodes : form_candidates(graph, on_dla, no_pieces, options))
    benefits.push_back(benefit(describe(graph, links, nodes, options)));
  std::sort(benefits.rbegin(), benefits.rend());
  benefits.resize(std::min(benefits.size(), loadable_cap(options)));
  return std::accumulate(benefits.begin(), benefits.end(), 0.0);
}

}  // namespace dlaexec::place
