// Sizes that data decides on the device: what is computed with them takes the most that they can
// be.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// An axis whose size data decides, of a value that has its elements side by side from the first
/// on: only the first of them mean something.
struct OpenAxis {
  size_t axis = 0;
  std::string size;  ///< the symbol: equal ones are equal sizes
};

/// A graph in which sizes that the device counts are the most that they can be.
struct Bounded {
  ir::Graph graph;
  std::map<ir::ValueId, OpenAxis> open;  ///< the values that may hold less
  /// The size that @p node counts; null for other nodes.
  const std::string* counted_by(const ir::Node& node) const;
};

/// @p graph with bounds for what @p target counts.
Bounded bounded(const ir::Graph& graph, const Target& target);

/// Why the device does not run @p node of @p bounded.graph, as a clause, when the sizes @p counted
/// are counted before it in the same run: it must take row by row what may hold less.
std::optional<std::string> why_not_rows(const Bounded& bounded, const ir::Node& node,
                                        const std::set<std::string>& counted);

}  // namespace dlaexec::gpu
