// Pairs as launches of pair_cluster.cu.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "gpu/kernels/pair.h"
#include "gpu/kernels/pair_params.h"

namespace dlaexec::gpu {
namespace {

/// Template arguments of pair_cluster.cu that the tactic chooses.
struct Shape {
  int rows, wide;         ///< pixels of a tile; the first one's channels of a block
  int warp_rows, warp_k;  ///< warps along each
  int threads() const { return warp_rows * warp_k * 32; }
};

constexpr Shape kShapes[] = {
    {16, 32, 1, 2},  {16, 64, 1, 4},  {16, 128, 1, 4}, {16, 128, 1, 8},
    {32, 32, 2, 2},  {32, 64, 2, 4},  {32, 64, 2, 2},  {32, 128, 2, 4},
    {64, 32, 4, 2},  {64, 64, 4, 2},  {64, 64, 4, 4},  {64, 128, 4, 2},
    {64, 128, 4, 4}, {64, 256, 4, 4}, {128, 64, 4, 4}, {128, 128, 4, 4},
};

std::string text_of(const Shape& s) {
  return format("cluster {}x{} w{}x{}", s.rows, s.wide, s.warp_rows, s.warp_k);
}

std::optional<Shape> shape_of(const std::string& text) {
  for (const Shape& shape : kShapes)
    if (text_of(shape) == text) return shape;
  return std::nullopt;
}

/// The second one's channels, as many as the kernel has forms for; 0: none.
int narrow_of(const Pair& pair) {
  for (const int narrow : {64, 128, 256, 512})
    if (pair.second.p.k_written <= narrow) return narrow;
  return 0;
}

/// Blocks of a cluster: a power of two, so that rows are shared out evenly.
int64_t blocks_of(const Pair& pair, const Shape& s) {
  int64_t blocks = 1;
  while (blocks * s.wide < pair.first.p.k_written) blocks *= 2;
  return blocks;
}

/// 128-byte pieces of a product's sum.
int64_t steps_of(const Product& product) { return ceil_div(product.sum_bytes, 128); }

/// Of the first product and the shortcut.
int64_t steps_of(const Pair& pair) {
  return steps_of(pair.first) + (pair.shortcut ? steps_of(*pair.shortcut) : 0);
}

int64_t shared_bytes(const Pair& pair, const Shape& s) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(pair.first.in)),
                narrow = narrow_of(pair);
  const int64_t copies = steps_of(pair) * (s.rows + s.wide) * 128;
  const int64_t received = s.rows * (narrow + 4) * 4;
  return std::max(copies, received) + (narrow + s.rows) * s.wide * size;
}

bool fits(const Pair& pair, const Shape& s, const Target& target) {
  constexpr int64_t kBarrier = 128, kMostBlocks = 16;
  const int64_t size = static_cast<int64_t>(ir::size_bytes(pair.first.in)),
                narrow = narrow_of(pair);
  const int64_t blocks = blocks_of(pair, s);
  const int64_t column_threads = narrow * size / 16;
  return narrow >= 16 * s.warp_k && s.threads() % column_threads == 0 && s.wide * size >= 64 &&
         blocks <= std::min<int64_t>(kMostBlocks, s.rows) &&
         shared_bytes(pair, s) + kBarrier <= target.shared_bytes &&
         (s.rows == 16 || s.rows < 2 * round_up(pair.first.p.pixels, 16));
}

double seconds_of(const Pair& pair, const Shape& s, const Target& target) {
  // As in product.cpp: rates per multiprocessor and cycle, of which only the order matters.
  const double clock = 1.7e9, latency = 700, l2_bytes = 48;
  const double size = static_cast<double>(ir::size_bytes(pair.first.in));
  const double products = 900.0 * 2 / size;
  const int64_t blocks = blocks_of(pair, s), tiles = ceil_div(pair.first.p.pixels, s.rows);
  const double together = static_cast<double>(
      std::max<int64_t>(1, std::min<int64_t>(target.shared_bytes / shared_bytes(pair, s), 3)));
  const double waves =
      std::ceil(static_cast<double>(tiles * blocks) / (together * target.multiprocessors));
  const double narrow = narrow_of(pair), sum_bytes = static_cast<double>(steps_of(pair) * 128);
  const double math = together * s.rows * s.wide * (sum_bytes / size + narrow) / products;
  const double copies =
      together * ((s.rows + s.wide) * sum_bytes + s.wide * narrow * size) / l2_bytes;
  const double out = together * s.rows * (narrow * 8 + s.wide * 6) / l2_bytes;
  const double cycles = waves * (std::max(math, copies) + out + (blocks > 1 ? 4 : 3) * latency);
  return std::max(cycles / clock, (pair.first.bytes + pair.second.bytes) / target.bytes_per_second);
}

std::vector<PairTactic> tactics(const Pair& pair, const Target& target) {
  std::vector<PairTactic> list;
  if (narrow_of(pair) > 0)
    for (const Shape& shape : kShapes)
      if (fits(pair, shape, target))
        list.push_back({text_of(shape), seconds_of(pair, shape, target)});
  return list;
}

std::string expression(const Pair& pair, const Shape& s) {
  const std::string_view type = device_type(pair.first.in);
  return format("pair_cluster<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>", type,
                pair.first.residual_type ? type : "Nothing", pair.first.rows ? "Rows" : "Patches",
                pair.shortcut.has_value(), device_name(pair.first.activation),
                device_name(pair.second.activation), blocks_of(pair, s) == 1 ? "Alone" : "Cluster",
                s.rows, s.wide, narrow_of(pair), s.warp_rows, s.warp_k);
}

/// What a product reads of its own.
void patch_operands(Step& step, ConvParams PairParams::*which, const Product& product) {
  patch(step, which, &ConvParams::x, product.x);
  patch(step, which, &ConvParams::weights, product.weights);
  patch(step, which, &ConvParams::bias, product.bias);
  patch(step, which, &ConvParams::multiplier, product.multiplier);
}

Step* add(Lowering& lowering, const ir::Node& node, const Pair& pair, const std::string& tactic) {
  const std::optional<Shape> shape = shape_of(tactic);
  if (!shape || narrow_of(pair) == 0 || !fits(pair, *shape, lowering.target())) return nullptr;
  PairParams p{pair.first.p, pair.second.p, {}, 0, 0};
  p.first.steps = static_cast<int>(steps_of(pair.first));
  if (pair.shortcut) {
    p.shortcut = pair.shortcut->p;
    p.shortcut.steps = static_cast<int>(steps_of(*pair.shortcut));
    p.first_early = !lowering.last_touches(pair.first.x);
    p.shortcut_early = !lowering.last_touches(pair.shortcut->x);
  }
  Launch launch{{ceil_div(p.first.pixels, shape->rows), 1, blocks_of(pair, *shape)},
                {shape->threads(), 1, 1},
                static_cast<int>(shared_bytes(pair, *shape))};
  launch.cluster = static_cast<int>(launch.grid[2]);
  Step& step = lowering.add(node, "", {"pair_cluster.cu", expression(pair, *shape)}, launch, p);
  patch_operands(step, &PairParams::first, pair.first);
  patch_operands(step, &PairParams::second, pair.second);
  patch(step, &PairParams::first, &ConvParams::y, pair.first.y);
  patch(step, &PairParams::second, &ConvParams::y, pair.second.y);
  if (pair.shortcut)
    patch_operands(step, &PairParams::shortcut, *pair.shortcut);
  else
    patch(step, &PairParams::first, &ConvParams::residual, pair.first.residual);
  return &step;
}

std::vector<Kernel> kernels(const Target& target, Coverage coverage) {
  std::vector<Kernel> list;
  for (const ir::DataType type : {ir::DataType::Float16, ir::DataType::Int8})
    for (const Shape& shape : kShapes)
      for (const int narrow : {64, 128, 256, 512}) {
        const bool whole = coverage == Coverage::Everything;
        if (!whole && (narrow != 256 || type != ir::DataType::Float16)) continue;
        Pair pair;
        pair.first.in = type;
        pair.first.residual_type = type;
        pair.first.activation = pair.second.activation = ir::ActivationKind::Relu;
        pair.first.sum_bytes = 128;
        pair.first.p.pixels = 1 << 16;
        pair.first.p.k_written = whole && narrow == 64 ? shape.wide : shape.wide * 2;
        pair.second.p.k_written = narrow;
        for (const bool shortcut : {false, true}) {
          if (shortcut) pair.shortcut = pair.first;
          pair.first.rows = !shortcut;
          if (fits(pair, shape, target))
            list.push_back({"pair_cluster.cu", expression(pair, shape)});
        }
      }
  return list;
}

}  // namespace

const PairWay kClusterPairs{tactics, add, kernels};

}  // namespace dlaexec::gpu
