// The transforms of Winograd's convolution F(4x4, 3x3) on blocked images.
#pragma once

#include <cstdint>

#include "cpu/isa.h"

namespace dlaexec::cpu {

/// Outputs along one side of a tile, inputs along it, and products a tile takes.
inline constexpr int64_t kWinogradSide = 4;
inline constexpr int64_t kWinogradReach = 6;
inline constexpr int64_t kWinogradProducts = 36;

/// Where a tile's 16 channels go or come from, [product] being @p step floats apart.
struct WinogradTile {
  int64_t y, x;           ///< the tile's first pixel; input tiles may begin outside the image
  int64_t height, width;  ///< of the image
  int64_t step;
};

struct WinogradKernels {
  /// Six by six pixels of @p image, zeros where there is none, to 36 products' factors.
  void (*transform_input)(const WinogradTile& tile, const float* image, float* factors);
  /// 36 products to four by four pixels of @p image, fewer at its edges: + bias, + residual (laid
  /// out as the image, or null), into [low, high].
  void (*transform_output)(const WinogradTile& tile, const float* products, const float* bias,
                           const float* residual, float low, float high, float* image);
};

const WinogradKernels& winograd_kernels(Isa isa);

}  // namespace dlaexec::cpu
