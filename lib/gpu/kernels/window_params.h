// What kernels that slide a window over each channel are launched with: pooling and depthwise
// convolution, and the plain convolutions. Read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// All tensors are pixels of channels; x_pixel and so on are elements from pixel to pixel.
struct WindowParams {
  const void* x;
  const void* weights;      ///< depthwise [taps][channels padded]; plain: see conv_plain.cu
  const float* bias;        ///< [channels padded]
  const float* multiplier;  ///< [channels padded]; int8 only
  const void* residual;
  void* y;
  int images, in_h, in_w, out_h, out_w;
  int channels;  ///< of y
  int vectors;   ///< of channels in a pixel of y that are written
  int x_pixel, y_pixel, residual_pixel;
  int taps_h, taps_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int groups, group_inputs, group_outputs;      ///< plain convolutions only
  int count_include_pad, end_pad_h, end_pad_w;  ///< average pooling only
  float x_scale, y_inverse, residual_scale, alpha, beta;
};

}  // namespace dlaexec::gpu
