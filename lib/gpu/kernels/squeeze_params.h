// What squeeze-and-excite is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// y = x * gate, gate = act2(w2 act1(w1 mean(x) + bias1) + bias2): x and y are pixels of channels.
struct SqueezeParams {
  const void* x;
  void* y;
  const void* w1;        ///< [hidden][channels]
  const void* w2;        ///< [hidden][channels]: turned
  const float* bias1;    ///< [hidden]
  const float* bias2;    ///< [channels]
  int pixels, channels;  ///< of one image; channels: padded to 16 bytes
  int hidden;            ///< at most kSqueezeHidden
  int slices;            ///< of the channels; the cluster's blocks / slices share the pixels
  float alpha1, beta1, alpha2, beta2;
};

constexpr int kSqueezeThreads = 512;
constexpr int kSqueezeHidden = 256;
constexpr int kSqueezeBlocks = 8;  ///< of a cluster, one cluster an image

}  // namespace dlaexec::gpu
