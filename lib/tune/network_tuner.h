// Which of the best tactics of each problem a network runs fastest with.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gpu/device.h"
#include "ir/graph.h"
#include "tune/exchange.h"
#include "tune/kernel_supply.h"
#include "tune/ranking.h"
#include "tune/timing_cache.h"
#include "tune/tune_options.h"

namespace dlaexec::tune {

/// The best tactics of each problem that was measured, best first.
using Rankings = std::map<std::string, std::vector<Ranked>>;

/// What may be better in the whole network than the first of @p rankings: the next best of each
/// problem, and what was measured as one launch run apart. What takes more of the network's time
/// promises more. @p apart: the network's parts with every group run apart.
std::vector<Exchange> exchanges_of(const Rankings& rankings, std::span<const gpu::Lowered> apart);

/// Tries exchanges_of(@p rankings, @p apart) in the network of @p parts for as long as @p options
/// say, and adds to @p cache what it runs with, as decisions made in it. A network that does not
/// run here keeps the decisions that @p cache has; the log says why.
void tune_network(std::span<const ir::Graph> parts, std::span<const gpu::Lowered> apart,
                  const Rankings& rankings, const gpu::Context& context, KernelSupply& kernels,
                  TimingCache& cache, const TuneOptions& options);

}  // namespace dlaexec::tune
