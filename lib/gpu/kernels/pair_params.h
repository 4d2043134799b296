// What two products in one launch are launched with; read by the host and by the device code.
#pragma once

#include "conv_params.h"

namespace dlaexec::gpu {

/// The second product multiplies what the first makes of the same pixels, the shortcut makes what
/// the first adds; each as if it ran by itself.
struct PairParams {
  ConvParams first, second, shortcut;
  int first_early, shortcut_early;  ///< the launch before this one does not write what it reads
};

/// What pair_bulk.cu is launched with.
struct PairBulkParams {
  TensorMap x, first_weights, second_weights, residual, wide, narrow;
  TensorMap shortcut_x, shortcut_weights;
  ConvParams first, second, shortcut;
  int tiles;   ///< of as many pixels as the warpgroups take
  int chunks;  ///< of 128 bytes of the first one's results
};

}  // namespace dlaexec::gpu
