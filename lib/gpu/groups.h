// Nodes that run better together than each by its own kernels.
#pragma once

#include <vector>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// Nodes that one family of kernels runs as one. Only the last node's result, or results that all
/// of the group's nodes name as theirs, are seen outside.
struct Group {
  std::vector<int> nodes;  ///< ascending
  int at = 0;              ///< the node in whose turn the group is lowered
  void (*lower)(Lowering&, const Group&) = nullptr;
};

/// The tactic of a group's problem in which each of its nodes runs by itself.
inline constexpr std::string_view kApart = "apart";

/// The groups of @p graph that @p target runs; no node is in two of them.
std::vector<Group> find_groups(const ir::Graph& graph, const Target& target);

/// Who makes and who uses a graph's values: what patterns ask for.
class Links {
 public:
  explicit Links(const ir::Graph& graph);
  const ir::Graph& graph() const { return graph_; }
  /// The node that makes @p id; null for inputs and constants.
  const ir::Node* maker(ir::ValueId id) const;
  /// The only node that uses @p id, once; null when there are several, none, or it is an output.
  const ir::Node* only_user(ir::ValueId id) const;
  const std::vector<int>& users(ir::ValueId id) const { return uses_[static_cast<size_t>(id)]; }
  int index(const ir::Node& node) const { return static_cast<int>(&node - graph_.nodes.data()); }

 private:
  const ir::Graph& graph_;
  std::vector<int> makers_;
  std::vector<std::vector<int>> uses_;
};

// Patterns, each around one node; nothing where it does not fit (kernels/*.cpp).
std::optional<Group> attention_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> squeeze_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> mean_layer_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> reduction_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> stem_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> pair_around(const Links&, const ir::Node&, const Target&);
std::optional<Group> joint_products_around(const Links&, const ir::Node&, const Target&);

}  // namespace dlaexec::gpu
