// What squeeze-and-excite is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// y = z * gate, gate = act2(w2 act1(w1 mean(z) + bias1) + bias2), where z is x or a depthwise
/// convolution of it. All are pixels of channels; channels are padded to 16 bytes.
struct SqueezeParams {
  const void* x;
  void* y;
  const void* w1;                              ///< [hidden][channels]
  const void* w2;                              ///< [hidden][channels]: turned
  const float* bias1;                          ///< [hidden]
  const float* bias2;                          ///< [channels]
  const void* window;                          ///< of the depthwise convolution: [taps][channels]
  const float* bias0;                          ///< its [channels]
  int in_h, in_w, out_h, out_w, pad_h, pad_w;  ///< without one: in = out
  int channels;
  int hidden;         ///< at most kSqueezeHidden
  int slices;         ///< of the channels; the cluster's blocks / slices share the rows of z
  int slice_vectors;  ///< 16 bytes each: of the widest slice
  int image_bytes;    ///< of the largest part of the image, in a block's shared memory
  float alpha0, beta0, alpha1, beta1, alpha2, beta2;
};

constexpr int kSqueezeThreads = 256;
constexpr int kSqueezeHidden = 256;

}  // namespace dlaexec::gpu
