// Convolutions of few channels whose taps share one copy of their inputs: conv_halo.cu.
#include <algorithm>
#include <cmath>

#include "gpu/box_map.h"
#include "gpu/product_unit.h"

namespace dlaexec::gpu {
namespace {

using Unit = ProductTactic::Unit;

constexpr int kTilePixels = 128;
/// Output channels, bytes of a pixel, warpgroups that multiply.
constexpr int kForms[][3] = {{64, 64, 3}, {64, 128, 3}, {64, 128, 2}, {128, 64, 2}, {128, 128, 2}};

int64_t size_of(ir::DataType type) { return static_cast<int64_t>(ir::size_bytes(type)); }
int64_t taps_of(const ConvParams& p) { return int64_t{p.taps_h} * p.taps_w; }
int64_t images_of(const ConvParams& p) { return p.pixels / (int64_t{p.out_h} * p.out_w); }

/// How images are cut into tiles.
struct Halo {
  int64_t row_pixels;  ///< of a row with its borders
  int64_t rows;        ///< of a tile
  int64_t bands;       ///< tiles of an image
  int64_t copied;      ///< pixels that a tile's inputs are
  int64_t kept;        ///< pixels that its taps reach over, in whole swizzle patterns
};

Halo halo_of(const ConvParams& p) {
  Halo halo{};
  halo.row_pixels = p.out_w + p.taps_w - 1;
  halo.rows = std::min<int64_t>(kTilePixels / halo.row_pixels, p.out_h);
  halo.bands = ceil_div(p.out_h, halo.rows);
  halo.copied = halo.row_pixels * (halo.rows + p.taps_h - 1);
  const int64_t reach = kTilePixels + (p.taps_h - 1) * halo.row_pixels + p.taps_w - 1;
  halo.kept = round_up(std::max(halo.copied, reach), 16);
  return halo;
}

int groups_of(const ProductTactic& t) { return t.warp_rows / 4; }

/// Every form of the kernel.
std::vector<ProductTactic> halo_tactics(const Target& target) {
  if (!target.is_hopper()) return {};
  std::vector<ProductTactic> all;
  for (const auto& [k, row_bytes, groups] : kForms)
    all.push_back({Unit::Halo, kTilePixels, k, 4 * groups, 1, row_bytes, 1, 1});
  return all;
}

int64_t block_bytes(const Product& product, const ProductTactic& t, const Target&) {
  constexpr int64_t kAligned = 1024;
  return kAligned + taps_of(product.p) * t.k * t.row_bytes +
         groups_of(t) *
             (halo_of(product.p).kept * t.row_bytes + kTilePixels * t.k * size_of(product.out));
}

/// Convolutions without strides and dilations whose weights, and whose images' rows, are small
/// enough.
bool takes(const Product& product, const ProductTactic& t, const Target& target) {
  constexpr int64_t kBarriers = 1024;
  const ConvParams& p = product.p;
  const bool is_wanted = !product.rows && product.batch == 1 && !product.residual_type &&
                         taps_of(p) > 1 && p.stride_h == 1 && p.stride_w == 1 &&
                         p.dilation_h == 1 && p.dilation_w == 1 && p.whole_vectors;
  if (!is_wanted || product.in == ir::DataType::Float32 || product.out == ir::DataType::Float32)
    return false;
  const bool is_form = p.channel_bytes <= t.row_bytes && p.k_written <= t.k &&
                       (t.row_bytes == 64 || p.channel_bytes > 64) &&
                       (t.k == 64 || p.k_written > 64);
  // Boxes of whole pixels; a row of windows that run over each other has none.
  return is_form && p.x_pixel_bytes >= p.channel_bytes && p.k_padded % 16 == 0 &&
         p.y_pixel * size_of(product.out) % 16 == 0 && p.out_w + p.taps_w - 1 <= kTilePixels &&
         block_bytes(product, t, target) + kBarriers <= target.shared_bytes;
}

double seconds(const Product& product, const ProductTactic& t, const Target& target) {
  // As in product_bulk.cpp.
  const double clock = 1.7e9, latency = 700, products = 4096;
  const Halo halo = halo_of(product.p);
  const double tile = static_cast<double>(kTilePixels) * t.k;
  const double math = static_cast<double>(taps_of(product.p)) * tile * t.row_bytes / products;
  const double copy = static_cast<double>(halo.copied) * t.row_bytes / 48;
  const double turns =
      std::ceil(static_cast<double>(images_of(product.p) * halo.bands) / target.multiprocessors);
  const double cycles = turns * std::max({math, copy, tile * 3 / 48}) + 4 * latency;
  return in_balance(cycles / clock, product.bytes / target.bytes_per_second);
}

Kernel kernel(const Product& product, const ProductTactic& t, const Target&) {
  return {"conv_halo.cu",
          format("conv_halo<{}, {}, {}, {}, {}, {}, {}, {}>", device_type(product.in),
                 device_type(product.out), device_name(product.activation), t.k, t.row_bytes,
                 taps_of(product.p), groups_of(t), halo_of(product.p).kept)};
}

Step& add(Lowering& lowering, const ir::Node& node, std::string_view suffix, const Product& product,
          const ProductTactic& t) {
  HaloParams all{};
  ConvParams& p = all.conv = product.p;
  const Halo halo = halo_of(p);
  all.rows = static_cast<int>(halo.rows);
  all.bands = static_cast<int>(halo.bands);
  all.row_pixels = static_cast<int>(halo.row_pixels);
  all.input_bytes = static_cast<int>(halo.copied * t.row_bytes);
  p.tiles = static_cast<int>(images_of(p) * halo.bands);
  Launch launch{{p.tiles, 1, 1},
                {t.threads(), 1, 1},
                static_cast<int>(block_bytes(product, t, lowering.target()))};
  launch.runs_on = true;
  Step& step = lowering.add(node, suffix, kernel(product, t, lowering.target()), launch, all);
  patch(step, &HaloParams::x, product.x,
        input_rows_map(product, t.row_bytes / size_of(product.in), halo.rows + p.taps_h - 1));
  patch(step, &HaloParams::weights, product.weights, columns_map(product, t.k, t.row_bytes));
  patch(step, &HaloParams::y, product.y,
        output_rows_map(product, std::min<int64_t>(t.k, 128 / size_of(product.out)), halo.rows));
  patch(step, &HaloParams::conv, &ConvParams::bias, product.bias);
  patch(step, &HaloParams::conv, &ConvParams::multiplier, product.multiplier);
  return step;
}

}  // namespace

const ProductUnit kHaloUnit{halo_tactics, takes, block_bytes, no_scratch, seconds, kernel, add};

}  // namespace dlaexec::gpu
