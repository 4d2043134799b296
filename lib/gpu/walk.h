// How a kernel that computes element by element walks its operands: as few axes as possible.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// One dimension of a walk: its size and each operand's stride in elements, results first.
struct WalkAxis {
  int64_t size = 1;
  std::vector<int64_t> stride;
};

/// A walk over the results, outermost axis first; results lie alike, inputs broadcast to them.
struct Walk {
  std::vector<WalkAxis> axes;
  /// Of the innermost axis; what lies past it only pads a pixel and is set to zero.
  int64_t inner_valid = 1;
};

/// The walk over @p out, results of the same dimensions and strides. Channels that only pad are
/// computed along when @p keeps_finite: finite arguments give finite results.
Walk walk_of(std::span<const View> out, std::span<const View> in, bool keeps_finite);

/// The most neighbours along the innermost axis that every operand can move at once; 1, 2, 4, 8
/// or 16.
int vector_of(const Walk& walk, std::span<const View> out, std::span<const View> in);

}  // namespace dlaexec::gpu
