// What decisions are called in a timing cache, and lowering that takes them.
#pragma once

#include <span>
#include <string>

#include "gpu/lowering.h"
#include "tune/timing_cache.h"

namespace dlaexec::tune {

/// The name under which decisions for @p target are kept, when tactics of @p libraries take part.
std::string device_key(const gpu::Target& target, const gpu::Libraries& libraries = {});

/// The name of the network whose device parts, with every group run apart, are @p apart: the same
/// for all that pose the same problems in the same order.
std::string network_key(std::span<const gpu::Lowered> apart);

/// The name of @p problem for a decision that was made in @p network, a network_key().
std::string in_network(const std::string& network, const std::string& problem);

/// Lowering that takes the decisions of @p cache, which must live as long as the options: those
/// made in @p network (empty: none) before those for a problem by itself. Problems that it does not
/// know get the cost model's favourite. @p device is a device_key().
gpu::LowerOptions options_from(const TimingCache& cache, const std::string& device,
                               const std::string& network = {});

}  // namespace dlaexec::tune
