// Finding pairs of nodes that can become one.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace dlaexec::passes {

/// The wiring of a graph while one pass fuses nodes in it: nodes that go stay in place until
/// finish(), so that indices hold.
class Fusion {
 public:
  explicit Fusion(ir::Graph& graph);

  /// The node that makes @p input of the node at @p consumer, if that is its only user, it makes
  /// nothing else and the two run together; -1 otherwise.
  int sole_producer(int consumer, ir::ValueId input) const;

  /// Puts the node at @p producer into the place of the one at @p consumer, making its output;
  /// origins and names are joined. Gives the fused node.
  ir::Node& merge(int producer, int consumer);

  /// Erases the nodes that were merged away. True if there were any.
  bool finish();

 private:
  ir::Graph& graph_;
  std::vector<int> made_by_, uses_, gone_;
};

}  // namespace dlaexec::passes
