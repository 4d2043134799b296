// Products of grouped convolutions: each tile of output channels reads a window of the input's
// channels, those of its own groups, with a matrix of weights that is zero between groups. An input
// that is no finite number so spoils the pixel's other groups in its window, too.
#pragma once

#include "gpu/product.h"

namespace dlaexec::gpu {

/// @p product, grouped, with the sizes that its windows have for tiles of @p tactic.
Product with_windows(const Product& product, const ProductTactic& tactic);

/// The weights of @p product, which has windows for tiles of @p tile_k output channels.
Place window_weights(Lowering& lowering, const Product& product, int64_t tile_k);

/// The weights for libraries: [k][taps][channels of a group], dense.
Place group_weights(Lowering& lowering, const Product& product);

}  // namespace dlaexec::gpu
