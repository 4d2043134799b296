// Every pass, by the name of its file. Each gives true if it changed the graph.
#pragma once

#include "ir/graph.h"

namespace dlaexec::passes {

// Clean-up, before placement.

/// Turns integers that follow from known dimensions into constants, and the shape of a reshape with
/// one unknown dimension into a constant with -1.
bool fold_shape_arithmetic(ir::Graph& graph);
/// Spells an einsum of two tensors that is one matrix product as transpositions, reshapes and the
/// product.
bool multiply_einsum(ir::Graph& graph);
/// Computes nodes whose inputs are all constants. Quantize and Dequantize stay: they say how their
/// tensors are quantized.
bool fold_constants(ir::Graph& graph);
/// Computes dequantized constants: for graphs from which quantization has read what it wants.
bool fold_dequantized(ir::Graph& graph);
/// Removes nodes that hand on what they get: identities, casts to the same type, reshapes and
/// permutations that change nothing.
bool remove_identities(ir::Graph& graph);
/// Puts BatchNorm with constant parameters into the convolution or matrix product before it, or
/// makes it a scale.
bool fold_batch_norm(ir::Graph& graph);
/// Puts a scale per channel into the convolution or matrix product before it.
bool fold_scale(ir::Graph& graph);
/// Drops nodes and values that no output needs.
bool remove_dead(ir::Graph& graph);

// Fusion, after placement.

/// Replaces SiLU, HardSwish, Mish, GELU and layer norm that are spelt node by node by the one node
/// that they mean, except on a DLA core.
bool recognize_functions(ir::Graph& graph);
/// Makes the four slices of every second pixel and their concatenation, which detectors begin with,
/// a part of the convolution behind them: it steps over the whole image. Not on a DLA core.
bool fuse_focus(ir::Graph& graph);
/// Makes the addition of a constant per channel the bias of the convolution or product before it.
bool fuse_bias(ir::Graph& graph);
/// Makes the addition of another tensor the residual input of the convolution or product before it.
bool fuse_residual(ir::Graph& graph);
/// Puts an activation into the convolution, product or elementwise node before it.
bool fuse_activation(ir::Graph& graph);

// Types, after fusion.

/// Gives each node's outputs the type that its precision says, but for the graph's own outputs.
bool assign_types(ir::Graph& graph);
/// Puts a reformat wherever a value's type or format is not what its user needs.
bool insert_reformats(ir::Graph& graph);
/// Converts constants to the type in which their node computes: weights in Int8 get a scale per
/// output channel; biases and other parameters stay Float32.
bool convert_constants(ir::Graph& graph);

}  // namespace dlaexec::passes
