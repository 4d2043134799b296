// What an element-by-element kernel is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kMapRank = 6;

/// out[i...] = f(in0[i...], in1[i...], in2[i...]) over dims; each operand has its own strides in
/// elements, 0 where it is broadcast. Dimensions run from the outermost; unused ones are 1.
struct MapParams {
  const void* in[3];
  void* out;
  long long count;  ///< vectors over all dims
  int dims[kMapRank];
  int inner_valid;  ///< of the last dimension; what lies past it only pads and is set to zero
  long long in_strides[3][kMapRank];
  long long out_strides[kMapRank];
  float in_scale[3];
  float out_inverse;
  float alpha, beta;
};

}  // namespace dlaexec::gpu
