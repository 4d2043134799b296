#include "gpu/product_groups.h"

#include <algorithm>
#include <cstring>

namespace dlaexec::gpu {
namespace {

int64_t taps_of(const ConvParams& p) { return int64_t{p.taps_h} * p.taps_w; }

/// Where in a pixel the window of the tile that starts at @p first_k begins: first_byte() of
/// conv_feed.cuh.
int64_t first_byte(const ConvParams& p, int64_t first_k) {
  const int64_t group = first_k / p.group_outputs * p.group_bytes;
  return std::min<int64_t>(group / 16 * 16, p.last_window);
}

/// Bytes that the groups of any tile of @p tile_k output channels span in a pixel.
int64_t span_of(const ConvParams& p, int64_t outputs, int64_t tile_k) {
  int64_t span = 0;
  for (int64_t first_k = 0; first_k < outputs; first_k += tile_k) {
    const int64_t last_k = std::min(first_k + tile_k, outputs) - 1;
    const int64_t end = (last_k / p.group_outputs + 1) * p.group_bytes;
    span = std::max(span, end - first_byte(p, first_k));
  }
  return span;
}

/// Rows of weights over windows, from @p dense rows over the channels of a group.
std::vector<std::byte> over_windows(const std::vector<std::byte>& dense, const ConvParams& p,
                                    int64_t outputs, int64_t tile_k) {
  std::vector<std::byte> made(static_cast<size_t>(p.k_padded) *
                              static_cast<size_t>(p.weight_row_bytes));
  const std::byte* from = dense.data();
  for (int64_t k = 0; k < outputs; ++k) {
    const int64_t in_window =
        k / p.group_outputs * p.group_bytes - first_byte(p, k / tile_k * tile_k);
    std::byte* to = made.data() + k * p.weight_row_bytes + in_window;
    for (int64_t tap = 0; tap < taps_of(p); ++tap, from += p.group_bytes, to += p.channel_bytes)
      std::memcpy(to, from, static_cast<size_t>(p.group_bytes));
  }
  return made;
}

}  // namespace

Product with_windows(const Product& product, const ProductTactic& tactic) {
  Product made = product;
  ConvParams& p = made.p;
  const int64_t all = product.p.channel_bytes;  // of a pixel
  // The copy engine takes whole pieces of 128 bytes.
  const int64_t piece = tactic.unit == ProductTactic::Unit::Bulk ? 128 : 16;
  p.last_window = static_cast<int>(all);
  const int64_t span = span_of(p, product.groups->outputs(), tactic.k);
  p.channel_bytes = static_cast<int>(std::min(round_up(span, piece), all));
  p.last_window = static_cast<int>(all - p.channel_bytes);
  made.sum_bytes = taps_of(p) * p.channel_bytes;
  p.weight_row_bytes = static_cast<int>(round_up(made.sum_bytes, 128));
  return made;
}

Place window_weights(Lowering& lowering, const Product& product, int64_t tile_k) {
  const ConvParams& p = product.p;
  return lowering.constant(int64_t{p.k_padded} * p.weight_row_bytes,
                           [groups = *product.groups, p, tile_k] {
                             return over_windows(groups.weights(), p, groups.outputs(), tile_k);
                           });
}

Place group_weights(Lowering& lowering, const Product& product) {
  return lowering.constant(product.groups->outputs() * taps_of(product.p) * product.p.group_bytes,
                           product.groups->weights);
}

}  // namespace dlaexec::gpu
