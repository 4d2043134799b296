#include "gpu/kernels/pair.h"

#include <algorithm>

#include "base/error.h"
#include "gpu/groups.h"
#include "gpu/kernels/conv.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

constexpr const PairWay* kWays[] = {&kClusterPairs, &kBulkPairs};

/// A 1 x 1 convolution of one narrow type throughout; nothing for other nodes.
std::optional<Conv> pointwise(const ir::Graph& graph, const ir::Node* node) {
  if (!node || node->op != Op::Conv || graph.value(node->inputs[0]).shape.size() != 4)
    return std::nullopt;
  const Conv c = conv_of(graph, *node);
  const bool one_type = (c.in == DataType::Float16 || c.in == DataType::Int8) && c.in == c.out &&
                        (!c.residual || graph.value(c.residual_value).type == c.out);
  if (!one_type || c.groups > 1 || c.taps_h * c.taps_w > 1 || c.pad_h + c.pad_w > 0 ||
      image_channels(c) > 0)
    return std::nullopt;
  return c;
}

/// The convolution that makes what only @p first adds; null when it is none that a pair takes.
const ir::Node* shortcut_of(const Links& links, const ir::Node& first) {
  const ir::ValueId added = conv_of(links.graph(), first).residual_value;
  const ir::Node* node = links.maker(added);
  const std::optional<Conv> c = pointwise(links.graph(), node);
  const bool fits = c && !c->residual && c->activation == ir::ActivationKind::None &&
                    links.only_user(added) == &first;
  return fits ? node : nullptr;
}

/// Where the first of a pair writes @p y, as the second reads it.
View written_by(const Product& first, const View& y) {
  View view = y;
  view.place = first.y;
  return view;
}

/// @p shortcut: may be null.
Pair pair_of(Lowering& lowering, const ir::Node* shortcut, const ir::Node& first,
             const ir::Node& second) {
  Pair pair;
  if (shortcut) {
    const Conv c0 = conv_of(lowering.graph(), *shortcut);
    const View x = lowering.pixels(c0.x);
    pair.shortcut = product_of(lowering, c0, x, lowering.target_pixels(c0.y));
  }
  const Conv c1 = conv_of(lowering.graph(), first), c2 = conv_of(lowering.graph(), second);
  const View x = lowering.pixels(c1.x), wide = lowering.target_pixels(c1.y);
  pair.first = product_of(lowering, c1, x, wide);
  pair.second =
      product_of(lowering, c2, written_by(pair.first, wide), lowering.target_pixels(c2.y));
  pair.problem = format("pair {}{} + {}", shortcut ? pair.shortcut->problem + " + " : "",
                        pair.first.problem, pair.second.problem);
  return pair;
}

/// In the order of their nodes.
std::vector<const Product*> products_of(const Pair& pair) {
  if (pair.shortcut) return {&*pair.shortcut, &pair.first, &pair.second};
  return {&pair.first, &pair.second};
}

/// Seconds of all by themselves, one after the other.
double seconds_apart(const Pair& pair, const Target& target) {
  constexpr double kLaunch = 1.5e-6;  // what the start of another one costs
  double seconds = 0;
  for (const Product* product : products_of(pair))
    for (const ProductTactic& tactic : tactics_for(*product, target, 1))
      seconds += predicted_seconds(*product, tactic, target) + kLaunch;
  return seconds - kLaunch;
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
  std::vector<const ir::Node*> nodes;
  for (const int i : group.nodes) nodes.push_back(&lowering.graph().nodes[static_cast<size_t>(i)]);
  const size_t first = nodes.size() - 2;
  const Pair pair =
      pair_of(lowering, first > 0 ? nodes[0] : nullptr, *nodes[first], *nodes[first + 1]);
  const std::vector<const Product*> products = products_of(pair);
  const std::string chosen = lowering.choose(pair.problem, tactics_of(pair, lowering.target()));
  if (chosen == kApart) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      lowering.begin(*nodes[i]);
      add_product(lowering, *nodes[i], "", *products[i]);
    }
    return;
  }
  for (const PairWay* way : kWays)
    if (Step* step = way->add(lowering, *nodes[first], pair, chosen)) {
      for (const Product* product : products) {
        step->operations += product->operations;
        step->bytes += product->bytes;
      }
      step->problem = pair.problem;
      step->tactic = chosen;
      return;
    }
  fail("'{}' is no tactic for '{}'", chosen, pair.problem);
}

}  // namespace

std::optional<Group> pair_around(const Links& links, const ir::Node& first, const Target& target) {
  const ir::Graph& graph = links.graph();
  const std::optional<Conv> made = pointwise(graph, &first);
  if (!target.is_hopper() || !made) return std::nullopt;
  for (const int user : links.users(first.outputs[0])) {
    const ir::Node& second = graph.nodes[static_cast<size_t>(user)];
    const std::optional<Conv> reads = pointwise(graph, &second);
    if (!reads || !reads_rows(*reads) || reads->x != made->y || reads->residual) continue;
    Group group;
    if (const ir::Node* shortcut = shortcut_of(links, first))
      group.nodes.push_back(links.index(*shortcut));
    group.nodes.insert(group.nodes.end(), {links.index(first), user});
    group.at = links.index(first);  // what else reads its results may come before the second
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
