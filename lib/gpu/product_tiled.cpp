// Products whose threads copy for themselves: conv_mma.cu and conv_wgmma.cu.
#include <algorithm>
#include <cmath>

#include "gpu/product_unit.h"

namespace dlaexec::gpu {
namespace {

using Unit = ProductTactic::Unit;

/// Tiles of conv_mma.cu: rows, k, warps along rows, warps along k.
constexpr int kMmaTiles[][4] = {
    {256, 128, 4, 2}, {128, 256, 2, 4}, {256, 64, 4, 2}, {128, 128, 2, 4}, {128, 128, 2, 2},
    {128, 64, 4, 2},  {128, 64, 2, 2},  {64, 256, 1, 4}, {64, 128, 2, 2},  {64, 128, 2, 4},
    {64, 64, 2, 2},   {64, 64, 4, 2},   {32, 64, 2, 4},  {128, 32, 4, 1},  {64, 32, 4, 1},
    {32, 128, 2, 4},  {32, 128, 1, 4},  {32, 64, 2, 2},  {32, 32, 2, 2},   {16, 128, 1, 4},
    {16, 64, 1, 4},
};
/// Tiles of conv_wgmma.cu: each warpgroup of four warps takes 64 rows. Wider ones spill;
/// conv_bulk.cu, which copies without addresses, has the room.
constexpr int kWgmmaTiles[][2] = {{64, 64},   {64, 128}, {128, 64},
                                  {128, 128}, {256, 64}, {256, 128}};
/// Bytes of a row, stages.
constexpr int kPipelines[][2] = {{128, 3}, {128, 4}, {128, 6}, {64, 3}, {64, 4}, {64, 6}};

std::vector<ProductTactic> tiled_tactics(const Target& target) {
  std::vector<ProductTactic> all;
  for (const auto& [row_bytes, stages] : kPipelines) {
    for (const auto& [rows, k, warp_rows, warp_k] : kMmaTiles) {
      // 64-byte rows halve the work between barriers: only tiles that are short of memory gain.
      if (row_bytes == 64 && rows * k < 64 * 64) continue;
      ProductTactic tactic{Unit::Mma, rows, k, warp_rows, warp_k, row_bytes, stages, 1};
      if (!target.is_ampere() && stages > 3) continue;  // without cp.async nothing is in flight
      all.push_back(tactic);
    }
    if (!target.is_hopper() || row_bytes != 128) continue;
    for (const auto& [rows, k] : kWgmmaTiles) {
      ProductTactic tactic{Unit::Wgmma, rows, k, rows / 16, 1, row_bytes, stages, 1};
      all.push_back(tactic);
    }
  }
  return all;
}

/// True if a block may work on several tiles one after the other.
bool runs_on(const Product& product, const ProductTactic& tactic) {
  return tactic.split == 1 && (!product.residual_type || product.residual_type == product.out);
}

/// Tiles of results in a block's shared memory: residuals arrive before their tile's turn.
int64_t result_tiles(const Product& product, const ProductTactic& t) {
  if (!product.residual_type || !runs_on(product, t)) return 1;
  const int64_t ahead = t.stages - (t.unit == Unit::Mma ? 1 : 2);
  return ceil_div(ahead, ceil_div(product.sum_bytes, t.row_bytes)) + 1;
}

int64_t block_bytes(const Product& product, const ProductTactic& t, const Target& target) {
  const int64_t aligned = t.unit == Unit::Wgmma ? 1024 : 0;
  const int64_t steps = ceil_div(product.sum_bytes, t.row_bytes);
  const int64_t pipeline = t.stages * (t.rows + (t.stays ? 0 : t.k)) * int64_t{t.row_bytes} +
                           (t.stays ? steps * t.k * t.row_bytes : 0);
  const int64_t sums = t.rows * (t.k + 4) * int64_t{4};
  // A cluster's blocks are sent sums while they still multiply; else sums take the copies' place.
  if (t.split > 1 && target.is_hopper()) return aligned + pipeline + sums;
  if (!runs_on(product, t)) return aligned + std::max(pipeline, sums);
  const int64_t row = t.k * static_cast<int64_t>(ir::size_bytes(product.out)) + 16;
  return aligned + pipeline + result_tiles(product, t) * t.rows * row;
}

bool takes(const Product& product, const ProductTactic& tactic, const Target& target) {
  if (tactic.unit == Unit::Wgmma && product.in == ir::DataType::Float32) return false;
  if (block_bytes(product, tactic, target) > target.shared_bytes) return false;
  const int64_t steps = ceil_div(product.sum_bytes, tactic.row_bytes);
  if (tactic.split > 1 && steps < 2 * tactic.split) return false;
  if (tactic.stages > 3 && steps / tactic.split < tactic.stages - 2 && !runs_on(product, tactic))
    return false;
  // A tile more than twice the problem only wastes; the smallest tiles always stay.
  if (tactic.rows > 16 && tactic.rows >= 2 * round_up(product.p.pixels, 16)) return false;
  if (tactic.k > 64 && tactic.k >= 2 * product.p.k_padded) return false;
  const int64_t tiles =
      ceil_div(product.p.pixels, tactic.rows) * ceil_div(product.p.k_written, tactic.k);
  if (tactic.stays)
    return tactic.split == 1 && product.batch == 1 && !product.p.weights_batch_bytes &&
           runs_on(product, tactic) && product.p.k_written <= tactic.k &&
           tiles > target.multiprocessors;
  return tactic.split == 1 || tiles * tactic.split <= 4 * int64_t{target.multiprocessors};
}

double seconds(const Product& product, const ProductTactic& t, const Target& target) {
  // Rates per multiprocessor and cycle, from the architecture papers; the clock is one for all,
  // since only the order of tactics matters.
  const double clock = 1.7e9;
  const double products = (t.unit == Unit::Wgmma ? 2048.0
                           : target.is_hopper()  ? 1100.0
                                                 : 512.0) *
                          2 / static_cast<double>(ir::size_bytes(product.in));
  const double copy_bytes = 48;  // from L2 to shared memory
  const double latency = 700;    // cycles of one copy
  const double steps = static_cast<double>(ceil_div(product.sum_bytes, t.row_bytes)) / t.split;
  const double tiles = static_cast<double>(ceil_div(product.p.pixels, t.rows) *
                                           ceil_div(product.p.k_written, t.k) * product.batch);
  const int by_shared =
      static_cast<int>(target.shared_bytes / std::max<int64_t>(block_bytes(product, t, target), 1));
  const int by_threads = 2048 / t.threads();
  const int by_registers =
      std::max(1, 65536 / (t.threads() * std::max(64, t.rows * t.k / t.threads() + 70)));
  const int together = std::max(1, std::min({by_shared, by_threads, by_registers}));
  const double blocks = tiles * t.split;
  const double per_wave = static_cast<double>(together) * target.multiprocessors;
  const double full = std::floor(blocks / per_wave);
  const double rest = blocks - full * per_wave;
  const double elements =
      static_cast<double>(t.row_bytes) / static_cast<double>(ir::size_bytes(product.in));
  const auto wave = [&](double resident) {
    const double math = resident * t.rows * t.k * elements / products;
    const double copy = resident * (t.rows + (t.stays ? 0 : t.k)) * t.row_bytes / copy_bytes;
    const double wait = latency / (t.stages - 1);
    const double out = resident * t.rows * t.k * (t.split > 1 ? 14.0 : 6.0) / copy_bytes;
    return steps * std::max({math, copy, wait}) + out + latency * (t.split > 1 ? 3 : 2);
  };
  // Blocks that run on overlap one tile's way out with the next one's copies.
  double cycles = full * (wave(together) - (runs_on(product, t) && full > 0 ? 2 * latency : 0));
  if (rest > 0) cycles += wave(std::ceil(rest / target.multiprocessors));
  return in_balance(cycles / clock, product.bytes / target.bytes_per_second);
}

std::string_view share_name(const ProductTactic& tactic, const Target& target) {
  if (tactic.split == 1) return "Alone";
  return target.is_hopper() ? "Cluster" : "Memory";
}

Kernel kernel(const Product& product, const ProductTactic& t, const Target& target) {
  const std::string_view access = access_name(product);
  const std::string_view share = share_name(t, target);
  const int64_t outs = result_tiles(product, t);
  if (t.unit == Unit::Wgmma)
    return {"conv_wgmma.cu",
            format("conv_wgmma<{}, {}, {}, {}, {}, {}, {}, {}>", type_list(product), t.rows, t.k,
                   t.stages, access, share, t.stays, outs)};
  return {"conv_mma.cu",
          format("conv_mma<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>", type_list(product), t.rows,
                 t.k, t.warp_rows, t.warp_k, t.row_bytes, t.stages, access, share, t.stays, outs)};
}

/// Bytes through which blocks share a sum: their parts, and how many have arrived.
struct Scratch {
  int64_t partial = 0, arrived = 0;
};

Scratch scratch_of(const Product& product, const ProductTactic& t, const Target& target) {
  if (t.split == 1 || target.is_hopper()) return {};
  const int64_t tiles =
      product.batch * ceil_div(product.p.pixels, t.rows) * ceil_div(product.p.k_written, t.k);
  return {tiles * t.split * t.rows * t.k * 4, tiles * 4};
}

int64_t scratch_bytes(const Product& product, const ProductTactic& tactic, const Target& target) {
  return scratch_of(product, tactic, target).partial;
}

Step& add(Lowering& lowering, const ir::Node& node, std::string_view suffix, const Product& product,
          const ProductTactic& t) {
  const Target& target = lowering.target();
  ConvParams p = product.p;
  p.tiles_k = static_cast<int>(ceil_div(p.k_written, t.k));
  p.steps = static_cast<int>(ceil_div(product.sum_bytes, t.row_bytes));
  p.split = t.split;
  const int64_t tiles = ceil_div(p.pixels, t.rows) * p.tiles_k;
  p.tiles = static_cast<int>(tiles);
  Launch launch{{tiles, product.batch, t.split},
                {t.threads(), 1, 1},
                static_cast<int>(block_bytes(product, t, target))};
  launch.runs_on = runs_on(product, t) && product.batch == 1;
  Place partial, arrived;
  const Scratch scratch = scratch_of(product, t, target);
  if (t.split > 1 && target.is_hopper()) {
    launch.cluster = t.split;
  } else if (t.split > 1) {
    partial = lowering.scratch(scratch.partial);
    arrived = lowering.scratch(scratch.arrived, true);
  }
  Step& step = lowering.add(node, suffix, kernel(product, t, target), launch, p);
  patch(step, &ConvParams::x, product.x);
  patch(step, &ConvParams::weights, product.weights);
  patch(step, &ConvParams::bias, product.bias);
  patch(step, &ConvParams::multiplier, product.multiplier);
  patch(step, &ConvParams::residual, product.residual);
  patch(step, &ConvParams::y, product.y);
  patch(step, &ConvParams::partial, partial);
  patch(step, &ConvParams::arrived, arrived);
  return step;
}

}  // namespace

const ProductUnit kTiledUnit{tiled_tactics, takes,  block_bytes, scratch_bytes,
                             seconds,       kernel, add};

}  // namespace dlaexec::gpu
