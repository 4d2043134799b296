// What channels.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

struct ChannelsParams {
  const void* x;
  void* y;
  const float* gain;   ///< one number a channel
  const float* shift;  ///< likewise
  long long count;     ///< elements
  long long inner;     ///< elements of one channel; lp_norm: from element to element of a row
  long long run;       ///< elements that are normalized together
  int channels;
  int before, after;  ///< lrn: neighbouring channels that count
  float epsilon;      ///< lrn: the bias
  float alpha, beta;  ///< lrn
  float x_scale, y_inverse;
};

}  // namespace dlaexec::gpu
