// What two products in one launch are launched with; read by the host and by the device code.
#pragma once

#include "conv_params.h"

namespace dlaexec::gpu {

/// The second product multiplies what the first makes of the same pixels; each as if it ran by
/// itself.
struct PairParams {
  ConvParams first, second;
};

}  // namespace dlaexec::gpu
