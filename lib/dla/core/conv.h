// The convolution pipeline: CDMA, CBUF, CMAC and CACC, with the SDP behind them.
#pragma once

#include "base/thread_pool.h"
#include "dla/core/half_sum.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// A convolution as the hardware's documents tell it, one output at a time: what the vectorized
/// cores must equal.
void run_conv_scalar(const Memory& memory, const Operation& operation, ThreadPool& threads,
                     HalfSum half_sum = HalfSum::Ordered);

/// What a convolution reads for an FP16 input: an infinity counts as 65536.
float conv_input(Half half);

}  // namespace dlaexec::dla::core
