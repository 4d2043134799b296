// Measures the candidates for each problem of a graph part and keeps the fastest.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "gpu/jit.h"
#include "gpu/lowering.h"
#include "ir/graph.h"
#include "tune/repetitions.h"
#include "tune/timing_cache.h"

namespace dlaexec::tune {

struct TuneOptions {
  /// How many of the cost model's favourites are measured for one problem.
  size_t candidates = 24;
  /// A problem that the cache does not know ends in an Error instead of a measurement.
  bool error_on_miss = false;
  /// As in gpu::LowerOptions.
  int64_t workspace_bytes = INT64_MAX;
  bool full_floats = false;
  Repetitions repetitions;
  gpu::Libraries libraries;  ///< as in gpu::LowerOptions
};

/// The name under which decisions for @p target are kept, when tactics of @p libraries take part.
std::string device_key(const gpu::Target& target, const gpu::Libraries& libraries = {});

/// Measures every problem of @p part that @p cache does not know and adds the decisions to it.
/// Returns how many problems were measured.
size_t tune(const ir::Graph& part, const gpu::Context& context, const gpu::Compiler& compiler,
            ThreadPool& pool, TimingCache& cache, const TuneOptions& options = {});

/// Lowering that takes the decisions of @p cache, which must live as long as the options; problems
/// that it does not know get the cost model's favourite. @p device is the key of the decisions.
gpu::LowerOptions options_from(const TimingCache& cache, const std::string& device);

}  // namespace dlaexec::tune
