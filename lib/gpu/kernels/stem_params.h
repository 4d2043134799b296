// What a network's first layers are launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// y = act(conv(x) scaled + bias), or the maxima of its 3 x 3 windows. A step makes two rows of the
/// convolution, or one of maxima.
struct StemParams {
  const void* x;  ///< any strides, in elements
  long long x_image, x_channel, x_row, x_column;
  const void* weights;      ///< half, in rows of stem.cu's Layout
  const float* bias;        ///< [kK]
  const float* multiplier;  ///< [kK]: input scale times weight scale; int8 only
  void* y;
  int in_h, in_w, pad_h, pad_w;
  int conv_h, conv_w;  ///< rows and columns of the convolution
  int y_h, y_w;        ///< of what is written
  int y_pixel;         ///< elements from pixel to pixel
  int columns;         ///< that a block writes
  int steps, band;     ///< of an image; of a block
  float x_scale, x_inverse;
  float y_inverse;  ///< int8 only: 1 / scale of the convolution's results
  int rescales;     ///< int8 only: the maxima have a scale of their own
  float conv_scale, maxima_inverse;
  float alpha, beta;
};

constexpr int kStemThreads = 128;

}  // namespace dlaexec::gpu
