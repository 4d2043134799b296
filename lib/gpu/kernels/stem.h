// First layers as one launch of stem.cu.
#pragma once

#include "gpu/kernels/conv_problem.h"

namespace dlaexec::gpu {

/// True for a convolution of few channels with stride 2 that stem.cu has a form for.
bool runs_as_stem(const Conv& c, const Target& target);

/// The launch of @p c, which runs_as_stem().
void lower_stem(Lowering& lowering, const ir::Node& node, const Conv& c);

}  // namespace dlaexec::gpu
