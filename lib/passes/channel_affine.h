// y = factor * x + offset per channel, put into the weights of what makes x.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace dlaexec::passes {

/// One factor and one offset per channel.
struct ChannelAffine {
  std::vector<double> factor, offset;
};

/// True if @p node is a convolution or product with constant weights and an empty epilogue whose
/// @p channels output channels (dimension 1) can take a ChannelAffine.
bool can_absorb(const ir::Graph& graph, const ir::Node& node, size_t channels);

/// Changes weights and bias of @p node so that it makes factor * (what it made) + offset. The old
/// constants stay for others that use them.
void absorb(ir::Graph& graph, ir::Node& node, const ChannelAffine& affine);

}  // namespace dlaexec::passes
