#include "place/segments.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dlaexec::place {
namespace {

/// The graph's nodes in groups, at first one each; groups are joined one by one.
class Groups {
 public:
  Groups(const ir::Graph& graph, std::vector<std::vector<int64_t>> labels)
      : successors_(graph.nodes.size()),
        members_(graph.nodes.size()),
        group_(graph.nodes.size()),
        labels_(std::move(labels)) {
    const std::vector<std::vector<int>> used_by = ir::uses(graph);
    std::iota(group_.begin(), group_.end(), 0);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      members_[i] = {static_cast<int>(i)};
      for (const ir::ValueId id : graph.nodes[i].outputs)
        if (id != ir::kNoValue)
          for (const int user : used_by[static_cast<size_t>(id)]) successors_[i].push_back(user);
    }
  }

  const std::vector<int>& successors(int node) const { return successors_[size_t(node)]; }
  const std::vector<int>& members(int group) const { return members_[size_t(group)]; }

  /// Joins the groups of two neighbours if that makes no cycle and their labels agree.
  bool join(int producer, int consumer) {
    const int a = group_[size_t(producer)], b = group_[size_t(consumer)];
    if (a == b || !agree(a, b) || has_way_around(a, b)) return false;
    for (const int node : members_[size_t(b)]) group_[size_t(node)] = a;
    auto& joined = members_[size_t(a)];
    joined.insert(joined.end(), members_[size_t(b)].begin(), members_[size_t(b)].end());
    members_[size_t(b)].clear();
    for (std::vector<int64_t>& label : labels_)
      label[size_t(a)] = std::max(label[size_t(a)], label[size_t(b)]);
    return true;
  }

 private:
  bool agree(int a, int b) const {
    return std::all_of(labels_.begin(), labels_.end(), [&](const std::vector<int64_t>& label) {
      const int64_t x = label[size_t(a)], y = label[size_t(b)];
      return x == 0 || y == 0 || x == y;
    });
  }

  /// True if a path from group @p from to group @p to passes through a third one.
  bool has_way_around(int from, int to) const {
    std::vector<char> seen(group_.size(), 0);
    std::vector<int> open;
    const auto enter = [&](int group) {
      if (std::exchange(seen[size_t(group)], 1) == 0) open.push_back(group);
    };
    seen[size_t(from)] = 1;
    for (const int node : members_[size_t(from)])
      for (const int next : successors_[size_t(node)])
        if (group_[size_t(next)] != to) enter(group_[size_t(next)]);
    while (!open.empty()) {
      const int group = open.back();
      open.pop_back();
      for (const int node : members_[size_t(group)])
        for (const int next : successors_[size_t(node)]) {
          if (group_[size_t(next)] == to) return true;
          enter(group_[size_t(next)]);
        }
    }
    return false;
  }

  std::vector<std::vector<int>> successors_, members_;
  std::vector<int> group_;
  std::vector<std::vector<int64_t>> labels_;  ///< of each group; 0: any
};

}  // namespace

std::vector<std::vector<int>> form_segments(const ir::Graph& graph, const std::vector<char>& on_dla,
                                            std::vector<std::vector<int64_t>> labels) {
  Groups groups(graph, std::move(labels));
  const int count = static_cast<int>(graph.nodes.size());
  for (bool changed = true; changed;) {  // a join can open the way for one refused before
    changed = false;
    for (int node = 0; node < count; ++node)
      for (const int next : groups.successors(node))
        if (on_dla[size_t(node)] && on_dla[size_t(next)]) changed |= groups.join(node, next);
  }
  std::vector<std::vector<int>> segments;
  for (int group = 0; group < count; ++group) {
    std::vector<int> nodes = groups.members(group);
    if (nodes.empty() || !on_dla[size_t(nodes.front())]) continue;
    std::sort(nodes.begin(), nodes.end());
    segments.push_back(std::move(nodes));
  }
  std::sort(segments.begin(), segments.end());
  return segments;
}

}  // namespace dlaexec::place
