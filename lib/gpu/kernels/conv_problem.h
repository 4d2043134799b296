// A convolution as plain numbers: what its kernels are chosen and launched by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// A 2-D convolution or deconvolution with all that fusion added, as plain numbers.
struct Conv {
  ir::DataType in, out;
  int64_t images, c, h, w, k, out_h, out_w;
  int64_t taps_h, taps_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups;
  bool residual;
  ir::ActivationKind activation;
  float alpha, beta;
  ir::ValueId x, weights, bias, residual_value, y;
};

/// @p node, a Conv or a Deconv, as numbers.
Conv conv_of(const ir::Graph& graph, const ir::Node& node);

/// The window and what it slides over, as the device code reads them.
template <class Params>
void set_window(Params& p, const Conv& c) {
  p.in_h = static_cast<int>(c.h);
  p.in_w = static_cast<int>(c.w);
  p.taps_h = static_cast<int>(c.taps_h);
  p.taps_w = static_cast<int>(c.taps_w);
  p.stride_h = static_cast<int>(c.stride_h);
  p.stride_w = static_cast<int>(c.stride_w);
  p.pad_h = static_cast<int>(c.pad_h);
  p.pad_w = static_cast<int>(c.pad_w);
  p.dilation_h = static_cast<int>(c.dilation_h);
  p.dilation_w = static_cast<int>(c.dilation_w);
}

/// The key under which tactics for @p c are kept.
std::string problem_text(const Conv& c, const std::optional<ir::DataType>& residual);

bool is_depthwise(const Conv& c);

/// 1 x 1 without stride and padding: a product of the pixels as they follow each other.
bool reads_rows(const Conv& c);

/// Few channels: whole rows of a window become "channels" of one tap, read from an image with a
/// border of zeros, so that 16-byte copies carry several pixels. The pixel's channels, or 0.
int64_t image_channels(const Conv& c);

/// Output channels with rows of weights that only pad.
inline int64_t padded(int64_t k) { return round_up(k, 16); }

/// The bias @p id, zeros without one, for padded(@p k) channels.
std::vector<float> padded_bias(const Lowering& lowering, ir::ValueId id, int64_t k);

/// What an exact integer sum is multiplied with, per output channel.
std::vector<float> multipliers(const Lowering& lowering, const Conv& c);

/// Least bytes that @p c moves, and its additions and products.
double bytes_of(const Conv& c, bool residual);
double operations_of(const Conv& c);

}  // namespace dlaexec::gpu
