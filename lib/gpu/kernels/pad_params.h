// What pad.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kPadRank = 6;

/// A walk over the result's dims, outermost in memory first, unused ones 1 and first. Along each,
/// the element at a position comes from the input at position - begin; strides in elements.
struct PadParams {
  const void* x;
  const void* fill;  ///< one element; null: zero
  void* y;
  long long count;
  int dims[kPadRank];   ///< of the result, padding of pixels included
  int valid[kPadRank];  ///< of them; what lies past it only pads a pixel and is zero
  int sizes[kPadRank];  ///< of the input
  int begin[kPadRank];
  long long x_strides[kPadRank];
  long long y_strides[kPadRank];
};

}  // namespace dlaexec::gpu
