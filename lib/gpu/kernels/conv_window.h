// Convolutions whose kernels slide a window over pixels, without tensor cores.
#pragma once

#include "gpu/kernels/conv_problem.h"

namespace dlaexec::gpu {

/// One filter a channel.
void lower_depthwise(Lowering& lowering, const ir::Node& node, const Conv& c);

/// Any other convolution that tensor cores do not take, of floats on devices before Ampere; by a
/// library where that is measured to be faster.
void lower_conv_plain(Lowering& lowering, const ir::Node& node, const Conv& c);

void lower_deconv_plain(Lowering& lowering, const ir::Node& node, const Conv& c);

}  // namespace dlaexec::gpu
