// What a generated pointwise kernel is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kChainRank = 6;
inline constexpr int kChainInputs = 12;
inline constexpr int kChainOutputs = 4;

/// A walk over dims, unused ones 1 and first; strides in elements, 0 where an input is broadcast.
struct ChainParams {
  const void* in[kChainInputs];
  void* out[kChainOutputs];
  long long count;  ///< vectors over all dims
  int dims[kChainRank];
  int inner_valid;  ///< of the last dimension; what lies past it only pads and is set to zero
  long long in_strides[kChainInputs][kChainRank];
  long long out_strides[kChainOutputs][kChainRank];
};

}  // namespace dlaexec::gpu
