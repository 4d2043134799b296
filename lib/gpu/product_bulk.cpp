// Products that the copy engine feeds: conv_bulk.cu, and conv_share.cu where blocks share a sum.
#include <algorithm>
#include <cmath>

#include "gpu/box_map.h"
#include "gpu/product_unit.h"

namespace dlaexec::gpu {
namespace {

using Unit = ProductTactic::Unit;

/// Tiles, of one warpgroup in conv_bulk.cu and of a block in conv_share.cu, and their most stages.
constexpr int kBulkTiles[][3] = {{128, 128, 5}, {64, 256, 4}, {128, 64, 8}, {64, 128, 6},
                                 {64, 64, 8},   {64, 64, 4},  {64, 32, 8}};

/// 128-byte pieces along the sum, each of one tap.
int64_t steps_of(const Product& product) {
  const int64_t taps = product.rows ? 1 : int64_t{product.p.taps_h} * product.p.taps_w;
  return taps * ceil_div(product.p.channel_bytes, 128);
}

/// How a block's shared memory is divided.
struct Room {
  int stages;  ///< of both sides
  int outs;    ///< tiles of results of each warpgroup
  int64_t bytes;
};

constexpr int64_t kHopperShared = 227 << 10, kAligned = 1024, kBarriers = 256;

/// With @p outs tiles of results.
Room room_of(const Product& product, const ProductTactic& t, int outs) {
  const int64_t stage = (t.rows + t.k) * int64_t{128};
  const int64_t results =
      2 * outs * t.rows * t.k * static_cast<int64_t>(ir::size_bytes(product.out));
  const int64_t room = kHopperShared - kAligned - kBarriers - results;
  const int stages = static_cast<int>(std::min<int64_t>(t.stages, room / stage));
  return {stages, outs, kAligned + stages * stage + results};
}

/// Of a block that shares its sums: no more stages than it has steps, and room for what it is sent.
Room room_of_part(const Product& product, const ProductTactic& t) {
  const int64_t stage = (t.rows + t.k) * int64_t{128}, sums = t.rows * (t.k + 4) * int64_t{4};
  const int64_t room = kHopperShared - kAligned - kBarriers - sums;
  const int64_t stages =
      std::min({int64_t{t.stages}, room / stage, ceil_div(steps_of(product), t.split)});
  return {static_cast<int>(stages), 0, kAligned + stages * stage + sums};
}

/// With short sums results leave while the next ones are made, and residuals come tiles ahead; long
/// ones need the room for stages more.
Room room_of(const Product& product, const ProductTactic& t) {
  if (t.split > 1) return room_of_part(product, t);
  const bool is_short = steps_of(product) <= 2;
  const int most = product.residual_type ? 4 : 2;
  const int least = product.residual_type && is_short ? 2 : 1;
  for (int outs = most; outs > least; --outs) {
    const Room room = room_of(product, t, outs);
    if (room.stages >= (is_short ? std::min(t.stages, 4) : t.stages)) return room;
  }
  return room_of(product, t, least);
}

/// Every tile.
std::vector<ProductTactic> bulk_tactics(const Target& target) {
  if (!target.is_hopper()) return {};
  std::vector<ProductTactic> all;
  for (const auto& [rows, k, stages] : kBulkTiles)
    all.push_back({Unit::Bulk, rows, k, 8, 1, 128, stages, 1});
  return all;
}

int64_t block_bytes(const Product& product, const ProductTactic& t, const Target&) {
  return room_of(product, t).bytes;
}

/// What the copy engine can walk: rows that start on 16 bytes, results that leave as they are kept.
bool takes(const Product& product, const ProductTactic& tactic, const Target& target) {
  const ConvParams& p = product.p;
  if (room_of(product, tactic).bytes + kBarriers > target.shared_bytes) return false;
  const int64_t tiles =
      ceil_div(product.p.pixels, tactic.rows) * ceil_div(product.p.k_written, tactic.k);
  if (tactic.split > 1 && (steps_of(product) < 2 * tactic.split ||
                           tiles * tactic.split > 2 * int64_t{target.multiprocessors}))
    return false;
  if (product.in == ir::DataType::Float32 || product.batch > 1 || !p.whole_vectors) return false;
  if (product.out != ir::DataType::Float16 && product.out != ir::DataType::Int8) return false;
  if (product.residual_type && product.residual_type != product.out) return false;
  const int64_t out_size = static_cast<int64_t>(ir::size_bytes(product.out));
  if (p.y_pixel * out_size % 16 != 0 || p.residual_pixel * out_size % 16 != 0) return false;
  if (p.weights_batch_bytes && p.weight_row_bytes % 16 != 0) return false;
  if (product.out == ir::DataType::Int8 && p.k_padded % 16 != 0) return false;  // columns_map()
  // The last piece of a window that ends within a pixel must not bring more of it.
  if (p.last_window > 0 && p.channel_bytes % 128 != 0) return false;
  if (!product.rows && !has_patches_map(p)) return false;
  if (tactic.rows > 64 && tactic.rows >= 2 * round_up(p.pixels, 64)) return false;
  return tactic.k <= 64 || tactic.k < 2 * p.k_padded;
}

double seconds(const Product& product, const ProductTactic& t, const Target& target) {
  const double clock = 1.7e9, latency = 700;
  const double products = 2048.0 * 2 / static_cast<double>(ir::size_bytes(product.in));
  const double elements = 128.0 / static_cast<double>(ir::size_bytes(product.in));
  const double tiles =
      static_cast<double>(ceil_div(product.p.pixels, t.rows) * ceil_div(product.p.k_written, t.k));
  const double math = t.rows * t.k * elements / products;
  const double copy = (t.rows + t.k) * 128.0 / 48;
  const double sums = static_cast<double>(steps_of(product)) * std::max(math, copy);
  const double out = t.rows * t.k * 3.0 / 48;
  if (t.split > 1) {
    const double blocks = std::ceil(tiles * t.split / target.multiprocessors);
    const double cycles = blocks * (sums / t.split + t.rows * t.k * 14.0 / 48) + 3 * latency;
    return in_balance(cycles / clock, product.bytes / target.bytes_per_second);
  }
  // A multiprocessor's two warpgroups overlap one tile's sums with the other's way out.
  const double turns = std::ceil(tiles / target.multiprocessors);
  const double cycles = turns * std::max(sums, out) + std::min(sums, out) + 3 * latency;
  return in_balance(cycles / clock, product.bytes / target.bytes_per_second);
}

Kernel kernel(const Product& product, const ProductTactic& t, const Target&) {
  const Room room = room_of(product, t);
  const std::string_view access = access_name(product);
  if (t.split > 1)
    return {"conv_share.cu", format("conv_share<{}, {}, {}, {}, {}>", type_list(product), t.rows,
                                    t.k, room.stages, access)};
  return {"conv_bulk.cu", format("conv_bulk<{}, {}, {}, {}, {}, {}>", type_list(product), t.rows,
                                 t.k, room.stages, access, room.outs)};
}

Step& add(Lowering& lowering, const ir::Node& node, std::string_view suffix, const Product& product,
          const ProductTactic& t) {
  const int64_t in_size = static_cast<int64_t>(ir::size_bytes(product.in));
  const int64_t out_size = static_cast<int64_t>(ir::size_bytes(product.out));
  BulkParams all{};
  ConvParams& p = all.conv = product.p;
  all.elements = static_cast<int>(128 / in_size);
  all.steps_of_tap = static_cast<int>(ceil_div(p.channel_bytes, 128));
  p.tiles_k = static_cast<int>(ceil_div(p.k_written, t.k));
  p.steps = static_cast<int>(steps_of(product));
  p.split = t.split;
  Launch launch{{ceil_div(p.pixels, t.rows) * p.tiles_k, 1, t.split},
                {t.threads(), 1, 1},
                static_cast<int>(room_of(product, t).bytes)};
  launch.runs_on = t.split == 1;
  launch.cluster = t.split;
  Step& step = lowering.add(node, suffix, kernel(product, t, lowering.target()), launch, all);
  patch(step, &BulkParams::x, product.x,
        product.rows ? rows_map(product.in, p.channel_bytes / in_size, p.pixels, p.x_pixel_bytes,
                                all.elements, t.rows)
                     : patches_map(product, all.elements, t.rows));
  patch(step, &BulkParams::conv, &ConvParams::bias, product.bias);
  patch(step, &BulkParams::conv, &ConvParams::multiplier, product.multiplier);
  if (t.split > 1) {
    patch(step, &BulkParams::weights, product.weights,
          rows_map(product.in, p.weight_row_bytes / in_size, p.k_padded, p.weight_row_bytes,
                   all.elements, t.k));
    patch(step, &BulkParams::conv, &ConvParams::residual, product.residual);
    patch(step, &BulkParams::conv, &ConvParams::y, product.y);
    return step;
  }
  patch(step, &BulkParams::weights, product.weights, columns_map(product, t.k));
  const int64_t columns = std::min<int64_t>(t.k, 128 / out_size);
  patch(step, &BulkParams::y, product.y,
        rows_map(product.out, p.k_written, p.pixels, p.y_pixel * out_size, columns, t.rows));
  if (product.residual_type)
    patch(
        step, &BulkParams::residual, product.residual,
        rows_map(product.out, p.k_written, p.pixels, p.residual_pixel * out_size, columns, t.rows));
  return step;
}

}  // namespace

const ProductUnit kBulkUnit{bulk_tactics, takes, block_bytes, no_scratch, seconds, kernel, add};

}  // namespace dlaexec::gpu
