// How far outputs are from the wanted ones.
#pragma once

#include "ir/tensor.h"

namespace dlaexec::test {

/// |found - wanted| / |wanted| in the L2 norm; infinite where one is not a number. The DLA's FP16
/// ends at 65504: that is what an infinity must have become.
double relative_l2(const ir::Tensor& found, const ir::Tensor& wanted);

}  // namespace dlaexec::test
