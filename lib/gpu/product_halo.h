// Convolutions of few channels whose taps share one copy of their inputs: conv_halo.cu.
#pragma once

#include "gpu/product.h"

namespace dlaexec::gpu {

/// Every form of the kernel.
std::vector<ProductTactic> halo_tactics();

/// True for a convolution without strides and dilations whose weights, and whose images' rows, are
/// small enough.
bool fits_halo(const ProductTactic& tactic, const Product& product, const Target& target);

/// Dynamic shared memory of a block.
int64_t halo_shared_bytes(const Product& product, const ProductTactic& t);

/// Seconds that the model expects.
double halo_seconds(const Product& product, const ProductTactic& t, const Target& target);

Kernel halo_kernel(const Product& product, const ProductTactic& t);

/// Adds the launch.
Step& add_halo(Lowering& lowering, const ir::Node& node, std::string_view suffix,
               const Product& product, const ProductTactic& t);

}  // namespace dlaexec::gpu
