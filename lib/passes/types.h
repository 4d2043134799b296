// What fixing the types rests on: which inputs of a node hold what, and what it delivers and needs.
#pragma once

#include "ir/graph.h"

namespace dlaexec::passes {

/// What an input of a node is to its arithmetic.
enum class Role : uint8_t {
  Data,       ///< a tensor in the node's precision
  Weights,    ///< a constant in the node's precision, quantized per output channel
  Parameter,  ///< biases, scales, slopes, coordinates: Float32 whatever the precision
  Other,      ///< not touched: indices, shapes, conditions, scales of Q/DQ
};

/// The role of input @p index of @p node.
Role role_of(const ir::Graph& graph, const ir::Node& node, size_t index);

/// True for a tensor of real numbers, Int8 with a scale among them.
bool is_real(const ir::Value& value);

/// True for a node that runs on the DLA.
inline bool on_dla(const ir::Node& node) { return node.device == ir::Device::Dla; }

/// The type in which @p node delivers real numbers to @p output: its precision, or where Int8 lacks
/// a scale the next wider type that its device has. What a subgraph makes keeps its type.
ir::DataType delivered_type(const ir::Graph& graph, const ir::Node& node, ir::ValueId output);

}  // namespace dlaexec::passes
