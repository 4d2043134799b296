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

constexpr int64_t kGroupPixels = 64, kPiece = 128, kPanel = kGroupPixels * kPiece, kMostPanels = 8;

/// What pair_bulk.cu's template arguments follow from, of one pair.
struct Shape {
  int64_t columns;   ///< elements of 128 bytes
  int64_t steps;     ///< 32-byte steps along the first sum
  int64_t shortcut;  ///< along the shortcut's, 0 without one
  int64_t chunks;    ///< panels of the first one's results
  int64_t last;      ///< columns of the second one; 0: more than the kernel holds

  int64_t pieces() const { return ceil_div(steps, 4) + ceil_div(shortcut, 4); }
  int64_t weight_bytes() const {
    return std::max(ceil_div(std::max(steps, shortcut), 4) * columns, last) * kPiece;
  }
  int64_t weights() const { return chunks * (shortcut > 0 ? 3 : 2); }  ///< tiles in all
};

Shape shape_of(const Pair& pair) {
  const ConvParams &first = pair.first.p, &second = pair.second.p;
  const int64_t columns = 128 / static_cast<int64_t>(ir::size_bytes(pair.first.in));
  Shape shape{columns, ceil_div(first.channel_bytes, 32),
              pair.shortcut ? ceil_div(pair.shortcut->p.channel_bytes, 32) : 0,
              ceil_div(first.k_written, columns), 0};
  for (const int64_t last : {256, 128, 64})
    if (second.k_written <= last) shape.last = last;
  return shape;
}

/// Warpgroups that multiply, and how shared memory is divided: tiles of inputs and of weights,
/// panels of each warpgroup.
struct Tactic {
  int groups, inputs, weights, outs;

  int64_t pixels() const { return groups * kGroupPixels; }  ///< of a tile
  bool stays(const Shape& shape) const { return weights == shape.weights(); }
  int64_t bytes(const Shape& shape) const {
    constexpr int64_t kAligned = 1024;
    return kAligned + inputs * shape.pieces() * pixels() * kPiece + weights * shape.weight_bytes() +
           groups * outs * kPanel;
  }
};

std::string text_of(const Tactic& t) {
  return format("bulk g{} i{} w{} o{}", t.groups, t.inputs, t.weights, t.outs);
}

/// With as many panels as there is room for, up to kMostPanels; nothing where there are fewer than
/// two.
std::optional<Tactic> with_panels(Tactic t, const Shape& shape, const Target& target) {
  constexpr int64_t kBarriers = 1024, kLeast = 2;
  const int64_t room = target.shared_bytes - kBarriers - t.bytes(shape);
  if (room < kLeast * t.groups * kPanel) return std::nullopt;
  t.outs = static_cast<int>(std::min(room / (t.groups * kPanel), kMostPanels));
  return t;
}

/// All that fit. Weights that come and go leave room for more panels than those that stay.
std::vector<Tactic> tactics_of(const Shape& shape, const Target& target) {
  std::vector<Tactic> list;
  if (shape.last == 0) return list;
  const int all = static_cast<int>(shape.weights());
  std::vector<int> rings = {all};
  for (const int weights : {4, 3, 2})
    if (weights < all) rings.push_back(weights);
  for (const int groups : {3, 2})
    for (const int inputs : {2, 1}) {
      if (groups == 3 && shape.last > 128) continue;  // sums for which 160 registers are too few
      for (const int weights : rings) {
        const auto t = with_panels({groups, inputs, weights, 0}, shape, target);
        if (t) list.push_back(*t);
        if (t && t->outs == kMostPanels) break;
      }
    }
  return list;
}

bool fits(const Pair& pair, const Target& target) {
  const auto is_walked = [](const Product& product) {
    const int64_t size = static_cast<int64_t>(ir::size_bytes(product.out));
    return product.p.whole_vectors && product.p.y_pixel * size % 16 == 0 &&
           product.p.residual_pixel * size % 16 == 0 && product.p.k_padded % 16 == 0 &&
           (product.rows || has_patches_map(product.p));
  };
  return target.is_hopper() && is_walked(pair.first) && is_walked(pair.second) &&
         (!pair.shortcut || is_walked(*pair.shortcut)) && shape_of(pair).last > 0;
}

double seconds_of(const Pair& pair, const Shape& shape, const Tactic& t, const Target& target) {
  // As in product.cpp: rates per multiprocessor and cycle, of which only the order matters.
  const double clock = 1.7e9, latency = 700, l2_bytes = 48;
  const double size = static_cast<double>(ir::size_bytes(pair.first.in));
  const double tiles = static_cast<double>(ceil_div(pair.first.p.pixels, t.pixels()));
  const double chunks = static_cast<double>(shape.chunks), pixels = static_cast<double>(t.pixels());
  const double math = chunks *
                      (static_cast<double>((shape.steps + shape.shortcut) * shape.columns) +
                       4.0 * static_cast<double>(shape.last)) *
                      pixels * 32 / size / (2048.0 * 2 / size);
  const double out = chunks * pixels * static_cast<double>(shape.columns) / 8;
  const double weights =
      t.stays(shape) ? 0 : static_cast<double>(shape.weights() * shape.weight_bytes());
  const double copies = (weights + chunks * 2 * t.groups * kPanel) / l2_bytes;
  const double waits = t.inputs == 1 ? 2 * latency : 0;
  const double turns = std::ceil(tiles / target.multiprocessors);
  const double cycles = turns * (std::max({math, out, copies}) + waits) + 4 * latency;
  const double wide = static_cast<double>(pair.first.p.pixels) * pair.first.p.k_written * size;
  const double bytes = pair.first.bytes + pair.second.bytes - wide +
                       (pair.shortcut ? pair.shortcut->bytes - 2 * wide : 0);
  return std::max(cycles / clock, bytes / target.bytes_per_second);
}

std::vector<PairTactic> tactics(const Pair& pair, const Target& target) {
  std::vector<PairTactic> list;
  if (!fits(pair, target)) return list;
  const Shape shape = shape_of(pair);
  for (const Tactic& t : tactics_of(shape, target))
    list.push_back({text_of(t), seconds_of(pair, shape, t, target)});
  return list;
}

std::string_view access_of(const Product& product) { return product.rows ? "Rows" : "Patches"; }

Kernel kernel_of(const Pair& pair, const Shape& shape, const Tactic& t) {
  const std::string_view type = device_type(pair.first.in);
  return {"pair_bulk.cu",
          format("pair_bulk<{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}>", type,
                 pair.first.residual_type ? type : "Nothing", device_name(pair.first.activation),
                 device_name(pair.second.activation), shape.steps, shape.shortcut,
                 access_of(pair.first), pair.shortcut ? access_of(*pair.shortcut) : "Rows",
                 t.groups, shape.last, t.inputs, t.weights, t.stays(shape), t.outs)};
}

/// 128 bytes of a tile's pixels.
BoxMap input_map(const Product& product, int64_t columns, int64_t pixels) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(product.in));
  return product.rows ? rows_map(product.in, product.p.channel_bytes / size, product.p.pixels,
                                 product.p.x_pixel_bytes, columns, pixels)
                      : patches_map(product, columns, pixels);
}

void patch_maps(Step& step, const Pair& pair, const Shape& shape, const Tactic& t) {
  const ConvParams &first = pair.first.p, &second = pair.second.p;
  const auto results_map = [&](const ConvParams& p, int64_t pixel, int64_t columns) {
    const int64_t size = static_cast<int64_t>(ir::size_bytes(pair.first.out));
    return rows_map(pair.first.out, p.k_written, p.pixels, pixel * size, columns, kGroupPixels);
  };
  patch(step, &PairBulkParams::x, pair.first.x, input_map(pair.first, shape.columns, t.pixels()));
  patch(step, &PairBulkParams::first_weights, pair.first.weights,
        columns_map(pair.first, shape.columns));
  patch(step, &PairBulkParams::second_weights, pair.second.weights,
        columns_map(pair.second, shape.last));
  patch(step, &PairBulkParams::wide, pair.first.y,
        results_map(first, first.y_pixel, shape.columns));
  patch(step, &PairBulkParams::narrow, pair.second.y,
        results_map(second, second.y_pixel, std::min(shape.columns, shape.last)));
  if (pair.shortcut) {
    patch(step, &PairBulkParams::shortcut_x, pair.shortcut->x,
          input_map(*pair.shortcut, shape.columns, t.pixels()));
    patch(step, &PairBulkParams::shortcut_weights, pair.shortcut->weights,
          columns_map(*pair.shortcut, shape.columns));
  } else if (pair.first.residual_type) {
    patch(step, &PairBulkParams::residual, pair.first.residual,
          results_map(first, first.residual_pixel, shape.columns));
  }
}

void patch_shares(Step& step, ConvParams PairBulkParams::*conv, const Product& product) {
  patch(step, conv, &ConvParams::bias, product.bias);
  patch(step, conv, &ConvParams::multiplier, product.multiplier);
}

Step* add(Lowering& lowering, const ir::Node& node, const Pair& pair, const std::string& tactic) {
  if (!fits(pair, lowering.target())) return nullptr;
  const Shape shape = shape_of(pair);
  for (const Tactic& t : tactics_of(shape, lowering.target())) {
    if (text_of(t) != tactic) continue;
    PairBulkParams p{};
    p.first = pair.first.p;
    p.second = pair.second.p;
    if (pair.shortcut) p.shortcut = pair.shortcut->p;
    p.tiles = static_cast<int>(ceil_div(p.first.pixels, t.pixels()));
    p.chunks = static_cast<int>(shape.chunks);
    Launch launch{{p.tiles, 1, 1}, {(t.groups + 1) * 128, 1, 1}, static_cast<int>(t.bytes(shape))};
    launch.runs_on = true;
    Step& step = lowering.add(node, "", kernel_of(pair, shape, t), launch, p);
    patch_maps(step, pair, shape, t);
    patch_shares(step, &PairBulkParams::first, pair.first);
    patch_shares(step, &PairBulkParams::second, pair.second);
    if (pair.shortcut) patch_shares(step, &PairBulkParams::shortcut, *pair.shortcut);
    return &step;
  }
  return nullptr;
}

std::vector<Kernel> kernels(const Target& target, Coverage coverage) {
  std::vector<Kernel> list;
  const bool whole = coverage == Coverage::Everything;
  for (const ir::DataType type : {ir::DataType::Float16, ir::DataType::Int8})
    for (const int narrow : {64, 128, 256})
      for (const bool shortcut : {false, true}) {
        if (!whole && type == ir::DataType::Int8 && (narrow != 256 || shortcut)) continue;
        Pair pair;
        pair.first.in = type;
        pair.first.residual_type = type;
        pair.first.activation = pair.second.activation = ir::ActivationKind::Relu;
        pair.first.p.channel_bytes = narrow * static_cast<int>(ir::size_bytes(type));
        pair.first.p.k_written = 4 * narrow;
        pair.second.p.k_written = narrow;
        if (shortcut) pair.shortcut = pair.first;
        const Shape shape = shape_of(pair);
        for (const Tactic& t : tactics_of(shape, target))
          if (whole || t.inputs == 1) list.push_back(kernel_of(pair, shape, t));
      }
  return list;
}

}  // namespace

const PairWay kBulkPairs{tactics, add, kernels};

}  // namespace dlaexec::gpu
