// What the planes-to-pixels kernels are launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// in[n, c, h, w] at strides (elements) <-> pixels of `vectors` times kVec channels, in images of
/// pixels_h x pixels_w whose pixel (pad_h, pad_w) is the input's first.
struct ImageParams {
  const void* in;
  void* out;
  int channels, height, width;
  long long stride_n, stride_c, stride_h, stride_w;  ///< of the planar side
  int pixels_h, pixels_w, pad_h, pad_w, vectors;
  float in_scale, out_inverse;
};

}  // namespace dlaexec::gpu
