// Nodes to hardware operations, one function per kind of layer. Each throws an Error that gives the
// reason when the hardware does not do what the node asks; compile() adds the layer's name.
#pragma once

#include "dla/compile/builder.h"
#include "dla/compile/epilogue.h"

namespace dlaexec::dla {

/// Lowers @p node, whatever its op.
void lower(Builder& builder, const ir::Node& node);

/// Lets the inputs of concats lie in their outputs where type, scale and alignment allow it; before
/// any node is lowered.
void place_parts(Builder& builder);

// By file:
void lower_conv(Builder& builder, const ir::Node& node);         // lower_conv.cpp
void lower_deconv(Builder& builder, const ir::Node& node);       // lower_conv.cpp
void lower_product(Builder& builder, const ir::Node& node);      // lower_conv.cpp: gemm and matmul
void lower_activation(Builder& builder, const ir::Node& node);   // lower_sdp.cpp
void lower_prelu(Builder& builder, const ir::Node& node);        // lower_sdp.cpp
void lower_scale(Builder& builder, const ir::Node& node);        // lower_sdp.cpp
void lower_elementwise(Builder& builder, const ir::Node& node);  // lower_sdp.cpp
void lower_unary(Builder& builder, const ir::Node& node);        // lower_sdp.cpp
void lower_reformat(Builder& builder, const ir::Node& node);     // lower_sdp.cpp
void lower_pool(Builder& builder, const ir::Node& node);         // lower_planar.cpp
void lower_reduce(Builder& builder, const ir::Node& node);       // lower_planar.cpp
void lower_lrn(Builder& builder, const ir::Node& node);          // lower_planar.cpp
void lower_softmax(Builder& builder, const ir::Node& node);      // lower_planar.cpp
void lower_concat(Builder& builder, const ir::Node& node);       // lower_move.cpp
void lower_slice(Builder& builder, const ir::Node& node);        // lower_move.cpp
void lower_reshape(Builder& builder, const ir::Node& node);      // lower_move.cpp
void lower_transpose(Builder& builder, const ir::Node& node);    // lower_move.cpp
void lower_resize(Builder& builder, const ir::Node& node);       // lower_move.cpp

/// The tables of a function: sigmoid or tanh.
Lut activation_table(Builder& builder, ir::ActivationKind kind);
/// The table of LRN: from the sum of squares to (bias + alpha / size * sum)^-beta.
Lut lrn_table(Builder& builder, const ir::LrnAttributes& lrn);

/// An operation that computes in FP16 reads and writes an Int8 cube through these: real = stored *
/// factor. Identity for a Float16 cube.
Converter scale_in(const Cube& cube);
Converter scale_out(const Cube& cube);

/// The function table of @p node, a sigmoid or a tanh, with what the SDP does on the way: a
/// conversion to Int8 that follows alone and, on Orin, the product with what went in (SiLU).
void lower_table(Builder& builder, const ir::Node& node);  // lower_table.cpp
/// Whether @p reformat only brings an Int8 tensor to a function table, which the SDP reads so
/// itself.
bool is_read_by_table(const ir::Graph& graph, const ir::Node& reformat);  // lower_table.cpp

/// Adds an SDP operation that rescales or converts @p input to @p output.
void add_conversion(Builder& builder, const ir::Node& node, CubeId input, CubeId output);

/// A constant input as real numbers for tensors of @p dims: one, one per channel, or one per
/// element. Throws an Error for other extents.
RealOperand real_operand(const ir::Graph& graph, ir::ValueId value, const Nchw& dims);

/// The constant elements of an input as real numbers, quantization taken out; empty when it is not
/// constant.
std::vector<double> real_constants(const ir::Graph& graph, ir::ValueId value);

}  // namespace dlaexec::dla
