// Launching map.cu: shared by the families that move or change elements one by one.
#pragma once

#include <span>
#include <string_view>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// What map.cu computes: a functor of it with its numbers.
struct MapFunction {
  std::string functor;  ///< "Apply<Relu>"
  float alpha = 0, beta = 0;
  /// Finite arguments give finite results, so channels that only pad may be computed along.
  bool keeps_finite = true;
};

/// Adds a launch of map.cu: @p out = function(@p in...), inputs broadcast to the output's
/// dimensions as numpy does.
void add_map(Lowering& lowering, const ir::Node& node, std::string_view suffix,
             const MapFunction& function, const View& out, std::span<const View> in);

}  // namespace dlaexec::gpu
