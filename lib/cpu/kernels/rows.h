// Vector loops over one row of numbers: softmax, normalization, sums; and local response
// normalization over runs of pixels.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace dlaexec::cpu {

/// Local response normalization of one channel's pixels.
struct LrnRun {
  float alpha, beta, bias;  ///< alpha is divided by the number of channels already
  int64_t pixels;           ///< also the distance between channels
};

struct RowKernels {
  void (*softmax)(const float* input, float* output, int64_t count);
  void (*log_softmax)(const float* input, float* output, int64_t count);
  /// (x - mean) / sqrt(variance + epsilon) * weights + bias; bias may be null.
  void (*layer_norm)(const float* input, const float* weights, const float* bias, float epsilon,
                     float* output, int64_t count);
  /// x / sqrt(mean of squares + epsilon) * weights.
  void (*rms_norm)(const float* input, const float* weights, float epsilon, float* output,
                   int64_t count);
  /// (x - mean) * factor with factor = scale / sqrt(variance + epsilon), + shift.
  void (*instance_norm)(const float* input, float scale, float shift, float epsilon, float* output,
                        int64_t count);
  float (*sum)(const float* input, int64_t count);
  float (*max)(const float* input, int64_t count);
  float (*min)(const float* input, int64_t count);
  /// @p window is the first of @p channels neighbouring channels at these pixels.
  void (*lrn)(const LrnRun& run, const float* input, const float* window, int64_t channels,
              float* output);
};

const RowKernels& row_kernels(Isa isa);

}  // namespace dlaexec::cpu
