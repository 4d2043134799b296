// Pointwise nodes as the source of one kernel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::gpu {

/// How a chain's kernel reaches its operands.
struct ChainShape {
  size_t rank = 1;      ///< axes that are walked
  int vec = 1;          ///< neighbours a thread handles
  bool padded = false;  ///< the last axis ends in elements that only pad
  std::vector<ir::ValueId> inputs, outputs;
  std::vector<bool> single;  ///< of each input: one element for all neighbours
};

/// Why no source is written for @p node, as a clause; nothing if it can be part of a chain.
std::optional<std::string> why_not_chain(const ir::Graph& graph, const ir::Node& node);

/// The source of the kernel `chain` that runs @p nodes of @p graph, in their order. It depends on
/// ops, types and numbers alone: equal chains give equal text.
std::string chain_text(const ir::Graph& graph, const std::vector<int>& nodes,
                       const ChainShape& shape);

}  // namespace dlaexec::gpu
