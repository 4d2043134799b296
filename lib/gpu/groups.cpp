#include "gpu/groups.h"

#include <algorithm>

#include "gpu/kernels/chain.h"

namespace dlaexec::gpu {

Links::Links(const ir::Graph& graph)
    : graph_(graph), makers_(ir::producers(graph)), uses_(ir::uses(graph)) {}

const ir::Node* Links::maker(ir::ValueId id) const {
  const int node = id == ir::kNoValue ? -1 : makers_[static_cast<size_t>(id)];
  return node < 0 ? nullptr : &graph_.nodes[static_cast<size_t>(node)];
}

const ir::Node* Links::only_user(ir::ValueId id) const {
  const std::vector<int>& list = users(id);
  if (list.size() != 1 || graph_.is_output(id)) return nullptr;
  const ir::Node& user = graph_.nodes[static_cast<size_t>(list[0])];
  return std::count(user.inputs.begin(), user.inputs.end(), id) == 1 ? &user : nullptr;
}

std::vector<Group> find_groups(const ir::Graph& graph, const Target& target) {
  constexpr decltype(&attention_around) kPatterns[] = {
      attention_around, squeeze_around, mean_layer_around,    reduction_around,
      stem_around,      pair_around,    joint_products_around};
  const Links links(graph);
  std::vector<Group> groups;
  std::vector<bool> taken(graph.nodes.size());
  for (const ir::Node& node : graph.nodes)
    for (const auto pattern : kPatterns) {
      std::optional<Group> group = pattern(links, node, target);
      if (!group) continue;
      const bool free = std::none_of(group->nodes.begin(), group->nodes.end(),
                                     [&](int i) { return taken[static_cast<size_t>(i)]; });
      if (!free) continue;
      for (const int i : group->nodes) taken[static_cast<size_t>(i)] = true;
      groups.push_back(std::move(*group));
    }
  std::vector<Group> chains = find_chains(links, target, groups);
  std::move(chains.begin(), chains.end(), std::back_inserter(groups));
  return groups;
}

}  // namespace dlaexec::gpu
