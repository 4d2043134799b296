// Measures the candidates for each problem of a network and keeps the fastest: first problem by
// problem, then in the whole network.
#pragma once

#include <span>

#include "base/thread_pool.h"
#include "gpu/jit.h"
#include "gpu/lowering.h"
#include "ir/graph.h"
#include "tune/timing_cache.h"
#include "tune/tune_options.h"

namespace dlaexec::tune {

/// Measures every problem of @p parts that @p cache does not know, then, if there was any, tries
/// the next best in the whole network; adds the decisions to @p cache. Returns how many problems
/// were measured.
size_t tune(std::span<const ir::Graph> parts, const gpu::Context& context,
            const gpu::Compiler& compiler, ThreadPool& pool, TimingCache& cache,
            const TuneOptions& options);

}  // namespace dlaexec::tune
