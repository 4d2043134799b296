// Pairs as launches of pair_bulk.cu.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "gpu/box_map.h"
#include "gpu/kernels/pair.h"
#include "gpu/kernels/pair_params.h"

namespace dlaexec::gpu {
namespace {

constexpr int64_t kTilePixels = 128, kGroupPixels = 64, kPiece = 128,
                  kPanel = kGroupPixels * kPiece;

/// What pair_bulk.cu's template arguments follow from, of one pair.
struct Shape {
  int64_t columns;  ///< elements of 128 bytes
  int64_t steps;    ///< 32-byte steps along the first sum
  int64_t chunks;   ///< panels of the first one's results
  int64_t last;     ///< columns of the second one; 0: more than the kernel holds

  int64_t input_bytes() const { return ceil_div(steps, 4) * kTilePixels * kPiece; }
  int64_t weight_bytes() const { return std::max(ceil_div(steps, 4) * columns, last) * kPiece; }
};

Shape shape_of(const Pair& pair) {
  const int64_t columns = 128 / static_cast<int64_t>(ir::size_bytes(pair.first.in));
  Shape shape{columns, ceil_div(pair.first.p.channel_bytes, 32),
              ceil_div(pair.first.p.k_written, columns), 0};
  for (const int64_t last : {256, 128, 64})
    if (pair.second.p.k_written <= last) shape.last = last;
  return shape;
}

/// How shared memory is divided: tiles of inputs and of weights, panels of each warpgroup.
struct Tactic {
  int inputs, weights, outs;

  bool stays(const Shape& shape) const { return weights == 2 * shape.chunks; }
  int64_t bytes(const Shape& shape) const {
    constexpr int64_t kAligned = 1024;
    return kAligned + inputs * shape.input_bytes() + weights * shape.weight_bytes() +
           2 * outs * kPanel;
  }
};

std::string text_of(const Tactic& t) {
  return format("bulk i{} w{} o{}", t.inputs, t.weights, t.outs);
}

/// All that fit, with as many panels as there is room for, up to eight.
std::vector<Tactic> tactics_of(const Shape& shape, const Target& target) {
  constexpr int64_t kBarriers = 1024;
  constexpr int kLeastOuts = 2, kMostOuts = 8;
  std::vector<Tactic> list;
  if (shape.last == 0) return list;
  const int all = static_cast<int>(2 * shape.chunks);
  for (const int inputs : {2, 1})
    for (const int weights : {all, 4, 3, 2}) {
      if (weights > all || (weights == all && !list.empty() && list.back().weights == all))
        continue;
      const int64_t room =
          target.shared_bytes - kBarriers - Tactic{inputs, weights, 0}.bytes(shape);
      const int64_t outs = std::min<int64_t>(room / (2 * kPanel), kMostOuts);
      if (room < 0 || outs < kLeastOuts) continue;
      list.push_back({inputs, weights, static_cast<int>(outs)});
    }
  return list;
}

bool fits(const Pair& pair, const Target& target) {
  const auto in_vectors = [](const Product& product) {
    const int64_t size = static_cast<int64_t>(ir::size_bytes(product.out));
    return product.p.whole_vectors && product.p.y_pixel * size % 16 == 0 &&
           product.p.residual_pixel * size % 16 == 0 && product.p.k_padded % 16 == 0;
  };
  return target.is_hopper() && !pair.shortcut && pair.first.rows && in_vectors(pair.first) &&
         in_vectors(pair.second) && shape_of(pair).last > 0;
}

double seconds_of(const Pair& pair, const Shape& shape, const Tactic& t, const Target& target) {
  // As in product.cpp: rates per multiprocessor and cycle, of which only the order matters.
  const double clock = 1.7e9, latency = 700, l2_bytes = 48;
  const double size = static_cast<double>(ir::size_bytes(pair.first.in));
  const double tiles = static_cast<double>(ceil_div(pair.first.p.pixels, kTilePixels));
  const double chunks = static_cast<double>(shape.chunks);
  const double math =
      chunks *
      (static_cast<double>(shape.steps * shape.columns) + 4.0 * static_cast<double>(shape.last)) *
      kTilePixels * 32 / size / (2048.0 * 2 / size);
  const double out = chunks * kTilePixels * static_cast<double>(shape.columns) / 8;
  const double weights =
      t.stays(shape) ? 0 : 2 * chunks * static_cast<double>(shape.weight_bytes());
  const double copies = (weights + chunks * 4 * kPanel) / l2_bytes;
  const double waits = t.inputs == 1 ? 2 * latency : 0;
  const double turns = std::ceil(tiles / target.multiprocessors);
  const double cycles = turns * (std::max({math, out, copies}) + waits) + 4 * latency;
  const double wide = static_cast<double>(pair.first.p.pixels) * pair.first.p.k_written * size;
  return std::max(cycles / clock,
                  (pair.first.bytes + pair.second.bytes - wide) / target.bytes_per_second);
}

std::vector<PairTactic> tactics(const Pair& pair, const Target& target) {
  std::vector<PairTactic> list;
  if (!fits(pair, target)) return list;
  const Shape shape = shape_of(pair);
  for (const Tactic& t : tactics_of(shape, target))
    list.push_back({text_of(t), seconds_of(pair, shape, t, target)});
  return list;
}

Kernel kernel_of(const Pair& pair, const Shape& shape, const Tactic& t) {
  const std::string_view type = device_type(pair.first.in);
  return {"pair_bulk.cu",
          format("pair_bulk<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}>", type,
                 pair.first.residual_type ? type : "Nothing", device_name(pair.first.activation),
                 device_name(pair.second.activation), shape.steps, shape.last, t.inputs, t.weights,
                 t.stays(shape), t.outs)};
}

void patch_maps(Step& step, const Pair& pair, const Shape& shape) {
  const ir::DataType type = pair.first.in;
  const int64_t size = static_cast<int64_t>(ir::size_bytes(type)), columns = shape.columns;
  const auto rows = [&](int64_t row, int64_t pixel_bytes, int64_t box_columns, int64_t box_rows) {
    return rows_map(type, row, pair.first.p.pixels, pixel_bytes, box_columns, box_rows);
  };
  const ConvParams &first = pair.first.p, &second = pair.second.p;
  patch(step, &PairBulkParams::x, pair.first.x,
        rows(first.channel_bytes / size, first.x_pixel_bytes, columns, kTilePixels));
  patch(step, &PairBulkParams::first_weights, pair.first.weights, columns_map(pair.first, columns));
  patch(step, &PairBulkParams::second_weights, pair.second.weights,
        columns_map(pair.second, shape.last));
  patch(step, &PairBulkParams::wide, pair.first.y,
        rows(first.k_written, first.y_pixel * size, columns, kGroupPixels));
  if (pair.first.residual_type)
    patch(step, &PairBulkParams::residual, pair.first.residual,
          rows(first.k_written, first.residual_pixel * size, columns, kGroupPixels));
  patch(step, &PairBulkParams::narrow, pair.second.y,
        rows(second.k_written, second.y_pixel * size, std::min(columns, shape.last), kGroupPixels));
}

Step* add(Lowering& lowering, const ir::Node& node, const Pair& pair, const std::string& tactic) {
  if (!fits(pair, lowering.target())) return nullptr;
  const Shape shape = shape_of(pair);
  for (const Tactic& t : tactics_of(shape, lowering.target())) {
    if (text_of(t) != tactic) continue;
    PairBulkParams p{};
    p.first = pair.first.p;
    p.second = pair.second.p;
    p.tiles = static_cast<int>(ceil_div(p.first.pixels, kTilePixels));
    p.chunks = static_cast<int>(shape.chunks);
    Launch launch{{p.tiles, 1, 1}, {384, 1, 1}, static_cast<int>(t.bytes(shape))};
    launch.runs_on = true;
    Step& step = lowering.add(node, "", kernel_of(pair, shape, t), launch, p);
    patch_maps(step, pair, shape);
    patch(step, &PairBulkParams::first, &ConvParams::bias, pair.first.bias);
    patch(step, &PairBulkParams::first, &ConvParams::multiplier, pair.first.multiplier);
    patch(step, &PairBulkParams::second, &ConvParams::bias, pair.second.bias);
    patch(step, &PairBulkParams::second, &ConvParams::multiplier, pair.second.multiplier);
    return &step;
  }
  return nullptr;
}

std::vector<Kernel> kernels(const Target& target, Coverage coverage) {
  std::vector<Kernel> list;
  const bool whole = coverage == Coverage::Everything;
  for (const ir::DataType type : {ir::DataType::Float16, ir::DataType::Int8})
    for (const int narrow : {64, 128, 256}) {
      if (!whole && type == ir::DataType::Int8 && narrow != 256) continue;
      Pair pair;
      pair.first.in = type;
      pair.first.residual_type = type;
      pair.first.activation = pair.second.activation = ir::ActivationKind::Relu;
      pair.first.p.channel_bytes = narrow * static_cast<int>(ir::size_bytes(type));
      pair.first.p.k_written = 4 * narrow;
      pair.second.p.k_written = narrow;
      const Shape shape = shape_of(pair);
      for (const Tactic& t : tactics_of(shape, target)) {
        list.push_back(kernel_of(pair, shape, t));
        if (!whole) break;
      }
    }
  return list;
}

}  // namespace

const PairWay kBulkPairs{tactics, add, kernels};

}  // namespace dlaexec::gpu
