// The units of the core that move or combine elements between places. Each takes an operation that
// dla::verify has passed. This code goes element by element and is the reference for what
// dla/core/prepared.h offers.
#pragma once

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// SDP, the single point data processor, on its own.
void run_sdp(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// PDP, the planar data processor: pooling and maxima over axes.
void run_pdp(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// CDP, the cross-channel data processor: LRN and softmax.
void run_cdp(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// Rubik, which reorders elements.
void run_rubik(const Memory& memory, const Operation& operation, ThreadPool& threads);
/// BDMA, which copies.
void run_bdma(const Memory& memory, const Operation& operation, ThreadPool& threads);

}  // namespace dlaexec::dla::core
