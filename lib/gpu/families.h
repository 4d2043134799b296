// The families of kernels: what each runs and how it is launched. One .cpp beside each kernel.
#pragma once

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// How a family would have its four-dimensional values lie.
enum class Layout : uint8_t {
  Dense,
  Pixels,
  Any,  ///< it takes either, and does best when all of a node's values lie alike
};

/// One family: nodes of some ops, a reason why not, and the launches.
struct Family {
  std::optional<std::string> (*why_not)(const ir::Graph&, const ir::Node&, const Target&) = nullptr;
  void (*lower)(Lowering&, const ir::Node&) = nullptr;
  Layout layout = Layout::Dense;
  /// For ops whose result's size data decides: the dimensions that it has at most.
  ir::Dims (*most)(const ir::Graph&, const ir::Node&) = nullptr;
};

/// The family that runs @p op; null functions when none does.
Family family_of(ir::Op op);

/// True for ops that compute each element from the ones at its place.
bool is_pointwise(ir::Op op);

// Convolutions and matrix products (kernels/conv.cpp, product.cpp).
std::optional<std::string> why_not_conv(const ir::Graph&, const ir::Node&, const Target&);
void lower_conv(Lowering&, const ir::Node&);
std::optional<std::string> why_not_deconv(const ir::Graph&, const ir::Node&, const Target&);
void lower_deconv(Lowering&, const ir::Node&);
std::optional<std::string> why_not_product(const ir::Graph&, const ir::Node&, const Target&);
void lower_product(Lowering&, const ir::Node&);
// Windows over single channels (kernels/pool.cpp).
std::optional<std::string> why_not_pool(const ir::Graph&, const ir::Node&, const Target&);
void lower_pool(Lowering&, const ir::Node&);
// One element at a time (kernels/map.cpp).
std::optional<std::string> why_not_map(const ir::Graph&, const ir::Node&, const Target&);
void lower_map(Lowering&, const ir::Node&);
// Moving elements only (kernels/move.cpp).
std::optional<std::string> why_not_move(const ir::Graph&, const ir::Node&, const Target&);
void lower_move(Lowering&, const ir::Node&);
// Elements that indices choose (kernels/index.cpp).
std::optional<std::string> why_not_index(const ir::Graph&, const ir::Node&, const Target&);
void lower_index(Lowering&, const ir::Node&);
// Around the edges of a tensor (kernels/pad.cpp).
std::optional<std::string> why_not_pad(const ir::Graph&, const ir::Node&, const Target&);
void lower_pad(Lowering&, const ir::Node&);
// Resizing (kernels/resize.cpp).
std::optional<std::string> why_not_resize(const ir::Graph&, const ir::Node&, const Target&);
void lower_resize(Lowering&, const ir::Node&);
// Images read between their pixels (kernels/sample.cpp).
std::optional<std::string> why_not_sample(const ir::Graph&, const ir::Node&, const Target&);
void lower_sample(Lowering&, const ir::Node&);
// The best of an axis and its running sums (kernels/select.cpp).
std::optional<std::string> why_not_select(const ir::Graph&, const ir::Node&, const Target&);
void lower_select(Lowering&, const ir::Node&);
// Boxes that overlap no better ones (kernels/nms.cpp).
std::optional<std::string> why_not_nms(const ir::Graph&, const ir::Node&, const Target&);
void lower_nms(Lowering&, const ir::Node&);
ir::Dims most_of_nms(const ir::Graph&, const ir::Node&);
// Where elements are not zero (kernels/nonzero.cpp).
std::optional<std::string> why_not_nonzero(const ir::Graph&, const ir::Node&, const Target&);
void lower_nonzero(Lowering&, const ir::Node&);
ir::Dims most_of_nonzero(const ir::Graph&, const ir::Node&);
// Norms over channels (kernels/channels.cpp).
std::optional<std::string> why_not_channels(const ir::Graph&, const ir::Node&, const Target&);
void lower_channels(Lowering&, const ir::Node&);
// Along one axis (kernels/rows.cpp).
std::optional<std::string> why_not_rows(const ir::Graph&, const ir::Node&, const Target&);
void lower_rows(Lowering&, const ir::Node&);

/// How much of the catalogue of products a list covers.
enum class Coverage : uint8_t {
  EveryTile,   ///< each tile with one pipeline, in half
  Everything,  ///< each tile with each pipeline, type, access and way to share sums that fits
};

/// Bytes a thread may spill, stores and loads together, in @p kernel.
int declared_spill_bytes(const Kernel& kernel);

/// Kernel instances that @p target can be asked for, for tests that compile them.
std::vector<Kernel> conv_kernels(const Target& target, Coverage coverage);
std::vector<Kernel> other_kernels(const Target& target);

}  // namespace dlaexec::gpu
