// Vector loops over windows of blocked images: pooling, depthwise convolution, sums over pixels.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace dlaexec::cpu {

/// One row of outputs of one block of 16 channels. Taps that fall outside the image are left out.
struct WindowRow {
  const float* input;  ///< the block's image
  int64_t width;       ///< of the input
  float* output;       ///< the row's first pixel
  int64_t output_width;
  int64_t first_tap_y, last_tap_y;  ///< taps of this row that fall inside the image
  int64_t top;                      ///< input row of tap 0; may lie outside
  int64_t kernel_x, stride_x, dilation_x, dilation_y, pad_x;
  // Depthwise convolution only:
  const float* weights = nullptr;   ///< [kernel y][kernel x][16]
  const float* bias = nullptr;      ///< 16
  const float* residual = nullptr;  ///< as output, or null
  float low = 0, high = 0;
};

struct WindowKernels {
  void (*max)(const WindowRow& row);
  /// Sums; the caller divides.
  void (*sum)(const WindowRow& row);
  void (*depthwise)(const WindowRow& row);
  /// Multiplies each pixel's 16 numbers by that pixel's factor.
  void (*multiply_pixels)(float* pixels, const float* factors, int64_t count);
  /// The sums over @p count pixels of 16 numbers each.
  void (*sum_pixels)(const float* pixels, int64_t count, float* sums);
  /// The sum of @p count numbers.
  float (*total)(const float* numbers, int64_t count);
};

const WindowKernels& window_kernels(Isa isa);

}  // namespace dlaexec::cpu
