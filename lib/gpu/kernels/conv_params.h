// What a convolution kernel is launched with; read by the host and by the device code.
#pragma once
#include "tensor_map_params.h"

namespace dlaexec::gpu {

/// y[m, k] = act(sum over taps and channels of x * w, scaled, + bias + residual), with m running
/// over the output's pixels. Strides and sizes named *_bytes are bytes; 32 bits reach 2 GB, which
/// the catalogue asks for.
struct ConvParams {
  const void* x;
  const void* weights;      ///< [k_padded][row: taps x channels, padded to whole tiles]
  const float* bias;        ///< [k_padded]
  const float* multiplier;  ///< [k_padded]: input scale times weight scale; int8 only
  const void* residual;
  void* y;
  float* partial;  ///< split sums without clusters: [tile][split][rows x columns]
  int* arrived;    ///< split sums without clusters: [tile], zero between launches

  int pixels;        ///< of the output, over the whole batch
  int out_h, out_w;  ///< of the output
  int in_h, in_w;    ///< of the input
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  int taps_h, taps_w;
  int x_image_bytes, x_row_bytes, x_pixel_bytes;
  int channel_bytes;               ///< of one tap: what is read of a pixel, a multiple of 16
  int group_outputs, group_bytes;  ///< of a group: its output channels, its part of a pixel of x
  int last_window;                 ///< grouped: where the last channel_bytes of a pixel begin
  int weight_row_bytes;
  int k_padded;                 ///< rows of the weights: output channels and some that only pad
  int k_written;                ///< output channels that are written: all that y has room for
  int whole_vectors;            ///< rows of y and residual allow 16-byte accesses
  int y_pixel, residual_pixel;  ///< elements from pixel to pixel
  int tiles;                    ///< of all pixels and output channels
  int tiles_k;                  ///< along the output channels
  int steps;                    ///< tiles along the sum
  int split;                    ///< blocks that share one tile's sum
  int releases_early;           ///< the next kernel may start once the last copies are on their way
  float alpha, beta;            ///< of the activation
  float residual_scale;         ///< int8 only
  float y_inverse;              ///< int8 only: 1 / scale of y
  /// Along gridDim.y, for batched products: bytes or elements from one to the next.
  long long x_batch_bytes, weights_batch_bytes, y_batch, residual_batch;
};

/// What conv_bulk.cu is launched with.
struct BulkParams {
  TensorMap x, weights, residual, y;
  ConvParams conv;
  int steps_of_tap;  ///< 128-byte pieces of a tap's channels
  int elements;      ///< of x in 128 bytes
};

/// What conv_halo.cu is launched with; conv.tiles: of rows of images.
struct HaloParams {
  TensorMap x, weights, y;
  ConvParams conv;
  int rows, bands;  ///< of a tile; tiles of an image
  int row_pixels;   ///< of a row with its borders
  int input_bytes;  ///< that are copied for a tile
};

}  // namespace dlaexec::gpu
