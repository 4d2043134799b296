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

}  // namespace dlaexec::gpu
