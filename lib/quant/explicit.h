// Q/DQ layers as scales of tensors: what explicit quantization says, in the words of implicit one.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::quant {

/// What translating Q/DQ layers gave.
struct Translation {
  int removed = 0;                   ///< Q/DQ layers that are gone
  std::vector<std::string> kept;     ///< names of those that could not go
  std::vector<std::string> rounded;  ///< tensors that the network quantizes where they are made
  std::vector<std::string> made_symmetric;  ///< tensors whose zero point was not 0: they lose range
};

/// Takes away Q/DQ layers whose scales are constant. A quantized tensor becomes the real tensor it
/// stands for, with its scale as Value::quantization; of several scales of one tensor the largest
/// wins. Quantized weights with zero points of 0 become Int8 constants with their scales, other
/// constants the real numbers they stand for. Layers that exchange quantized integers with the
/// outside stay. Types and shapes are inferred anew.
Translation remove_explicit(ir::Graph& graph);

/// Gives tensors between a layer and the activation, concatenation or reshape that alone uses them
/// the scale of what comes out behind: rounded before or after, the numbers are the same, and the
/// layers become INT8 steps. Returns the tensors' names.
std::vector<std::string> derive_scales(ir::Graph& graph);

/// Gives tensors without a scale one that follows from a neighbour's: layers whose results lie
/// within their inputs' range (pooling, means, concatenation, resizing, minimum and maximum), sums
/// within the sum of both ranges; inputs of a concatenation whose output has one. Returns the
/// tensors' names.
std::vector<std::string> derive_near_scales(ir::Graph& graph);

}  // namespace dlaexec::quant
