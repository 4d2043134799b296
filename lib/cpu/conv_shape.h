// The numbers of one convolution, seen as images.
#pragma once

#include <optional>
#include <vector>

#include "cpu/kernel.h"
#include "cpu/kernels/window.h"

namespace dlaexec::cpu {

/// Where kernel taps lie along one axis.
struct Axis {
  int64_t kernel = 1, stride = 1, dilation = 1, pad_before = 0, pad_after = 0;
  /// Input cells from the first to the last tap.
  int64_t reach() const { return (kernel - 1) * dilation + 1; }
};

struct ConvShape {
  ImageDims input, output;
  Axis y, x;
  int64_t groups = 1;
  bool has_padding() const {
    return y.pad_before != 0 || y.pad_after != 0 || x.pad_before != 0 || x.pad_after != 0;
  }
  bool is_pointwise() const {
    return y.kernel == 1 && x.kernel == 1 && y.stride == 1 && x.stride == 1 && !has_padding();
  }
  bool is_depthwise() const { return groups == input.channels && groups == output.channels; }
};

/// The shape of a conv node over one or two spatial dimensions; nothing for others.
std::optional<ConvShape> conv_shape(const Request& request);

/// Whether a conv can run on real numbers in float memory, its weights and bias known and its
/// residual shaped like the output. Int8 by Int8 wants exact integer sums instead.
bool has_float_operands(const Request& request);

/// Whether the third input is a bias, not the residual.
bool has_bias(const Request& request);

/// Which input is the residual, or -1.
int residual_input(const Request& request);

/// Real weights [K, C / groups, kernel y, kernel x] with their groups.
struct ConvWeights {
  std::vector<float> numbers;
  int64_t groups = 1;
};

/// The weights of a conv whose groups are whole blocks of channels: neighbouring groups are joined,
/// with zeros between them, until they are.
ConvWeights weights_in_whole_blocks(const std::vector<float>& weights, const ConvShape& shape);

/// The window that makes one row of a depthwise convolution's outputs, without its operands.
WindowRow window_row(const ConvShape& shape, int64_t row_index);

/// Depthwise weights [C, 1, kernel y, kernel x] as [block][kernel y][kernel x][16].
std::vector<float> pack_depthwise(const std::vector<float>& weights, const ConvShape& shape);

}  // namespace dlaexec::cpu
