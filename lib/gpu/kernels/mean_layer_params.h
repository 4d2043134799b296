// What a mean over images with the layer after it is launched with; read by the host and by the
// device code.
#pragma once

namespace dlaexec::gpu {

/// y[image] = act(weights mean(x[image]) scaled + bias).
struct MeanLayerParams {
  const void* x;            ///< pixels of channels
  const void* weights;      ///< [block][warp][pair of steps][lane] of 16 bytes
  const float* bias;        ///< [columns, as many as blocks compute]
  const float* multiplier;  ///< the same: input scale times weight scale; int8 only
  void* y;
  int images, pixels;         ///< at most kMeanLayerImages; of an image
  int channels;               ///< of a pixel, padded ones too
  int steps;                  ///< of 32 bytes along the layer's sum
  int pitch;                  ///< bytes from image to image of the means in shared memory
  int columns;                ///< that are written
  long long y_row, y_column;  ///< elements
  float x_scale, in_inverse;
  float out_scale, out_inverse, y_inverse;
  float alpha, beta;
};

constexpr int kMeanLayerThreads = 512;
constexpr int kMeanLayerImages = 16;

}  // namespace dlaexec::gpu
