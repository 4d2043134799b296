// The units of the core that move or combine elements between places. Each takes an operation that
// dla::verify has passed. The element by element code is the reference for the faster one.
#pragma once

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// PDP, the planar data processor: pooling and maxima over axes.
void run_pdp(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// The same for whole channel blocks, many times faster; false, and nothing done, for an operation
/// or a layout that it does not know.
bool run_pdp_blocks(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// CDP, the cross-channel data processor: LRN and softmax.
void run_cdp(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// Rubik, which reorders elements.
void run_rubik(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// BDMA, which copies.
void run_bdma(const Memory& memory, const Operation& operation, ThreadPool& threads);

}  // namespace dlaexec::dla::core
