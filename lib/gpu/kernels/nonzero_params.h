// What nonzero.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kNonZeroRank = 8;

/// Blocks of 256 threads take @p items neighbours a thread.
struct NonZeroParams {
  const void* x;
  int* counts;       ///< by block
  long long* out;    ///< [rank][count]
  long long* count;  ///< elements that are not zero
  long long elements;
  int items, blocks, rank;
  int dims[kNonZeroRank];
};

}  // namespace dlaexec::gpu
