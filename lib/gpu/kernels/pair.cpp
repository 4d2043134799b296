#include "gpu/kernels/pair.h"

#include <algorithm>

#include "base/error.h"
#include "gpu/groups.h"
#include "gpu/kernels/conv.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

constexpr const PairWay* kWays[] = {&kClusterPairs};

/// A 1 x 1 convolution as one product of pixels, with one narrow type throughout.
bool is_link(const ir::Graph& graph, const ir::Node* node) {
  if (!node || node->op != Op::Conv || graph.value(node->inputs[0]).shape.size() != 4) return false;
  const Conv c = conv_of(graph, *node);
  const bool one_type = (c.in == DataType::Float16 || c.in == DataType::Int8) && c.in == c.out &&
                        (!c.residual || graph.value(c.residual_value).type == c.out);
  return one_type && c.groups == 1 && reads_rows(c) && image_channels(c) == 0;
}

/// Where the first of a pair writes @p y, as the second reads it.
View written_by(const Product& first, const View& y) {
  View view = y;
  view.place = first.y;
  return view;
}

Pair pair_of(Lowering& lowering, const ir::Node& first, const ir::Node& second) {
  const Conv c1 = conv_of(lowering.graph(), first), c2 = conv_of(lowering.graph(), second);
  const View x = lowering.pixels(c1.x), wide = lowering.target_pixels(c1.y);
  Pair pair{product_of(lowering, c1, x, wide), {}, {}};
  pair.second =
      product_of(lowering, c2, written_by(pair.first, wide), lowering.target_pixels(c2.y));
  pair.problem = format("pair {} + {}", pair.first.problem, pair.second.problem);
  return pair;
}

/// Seconds of two launches, one after the other.
double seconds_apart(const Pair& pair, const Target& target) {
  constexpr double kLaunch = 1.5e-6;  // that the second's start costs more than none
  double seconds = kLaunch;
  for (const Product* product : {&pair.first, &pair.second})
    for (const ProductTactic& tactic : tactics_for(*product, target, 1))
      seconds += predicted_seconds(*product, tactic, target);
  return seconds;
}

/// All tactics, best first; kApart is always among the first two, which every tuner measures.
std::vector<std::string> tactics_of(const Pair& pair, const Target& target) {
  std::vector<PairTactic> scored;
  for (const PairWay* way : kWays)
    for (PairTactic& tactic : way->tactics(pair, target)) scored.push_back(std::move(tactic));
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  std::vector<std::string> texts;
  for (const PairTactic& tactic : scored) texts.push_back(tactic.text);
  const bool joined = !scored.empty() && scored[0].seconds < seconds_apart(pair, target);
  texts.insert(texts.begin() + (joined ? 1 : 0), std::string(kApart));
  return texts;
}

void lower_pair(Lowering& lowering, const Group& group) {
  const auto node = [&](size_t i) -> const ir::Node& {
    return lowering.graph().nodes[static_cast<size_t>(group.nodes[i])];
  };
  const ir::Node &first = node(0), &second = node(1);
  const Pair pair = pair_of(lowering, first, second);
  const std::string chosen = lowering.choose(pair.problem, tactics_of(pair, lowering.target()));
  if (chosen == kApart) {
    lowering.begin(first);
    add_product(lowering, first, "", pair.first);
    lowering.begin(second);
    add_product(lowering, second, "", pair.second);
    return;
  }
  for (const PairWay* way : kWays)
    if (Step* step = way->add(lowering, first, pair, chosen)) {
      step->operations = pair.first.operations + pair.second.operations;
      step->bytes = pair.first.bytes + pair.second.bytes;
      step->problem = pair.problem;
      step->tactic = chosen;
      return;
    }
  fail("'{}' is no tactic for '{}'", chosen, pair.problem);
}

}  // namespace

std::optional<Group> pair_around(const Links& links, const ir::Node& first, const Target& target) {
  const ir::Graph& graph = links.graph();
  if (!target.is_hopper() || !is_link(graph, &first)) return std::nullopt;
  for (const int user : links.users(first.outputs[0])) {
    const ir::Node& second = graph.nodes[static_cast<size_t>(user)];
    if (!is_link(graph, &second) || second.inputs[0] != first.outputs[0] ||
        conv_of(graph, second).residual)
      continue;
    Group group;
    group.nodes = {links.index(first), user};
    group.at = group.nodes.front();  // what else reads the first one's results may come in between
    group.lower = lower_pair;
    return group;
  }
  return std::nullopt;
}

std::vector<Kernel> pair_kernels(const Target& target, Coverage coverage) {
  std::vector<Kernel> kernels;
  if (!target.is_hopper()) return kernels;
  for (const PairWay* way : kWays) {
    std::vector<Kernel> more = way->kernels(target, coverage);
    std::move(more.begin(), more.end(), std::back_inserter(kernels));
  }
  return kernels;
}

}  // namespace dlaexec::gpu
