// Rubik: every element of the output is one element of the input (linear resize: a mean of four).
// Channels that stay side by side move together.
#include "dla/core/blocks.h"
#include "dla/core/rows.h"
#include "dla/core/sdp.h"
#include "dla/core/units.h"

namespace dlaexec::dla::core {
namespace {

/// The input's element that comes to the output's element @p at, for kinds that only move.
Position source_of(const RubikParameters& rubik, const Nchw& from, const Nchw& to,
                   const Position& at) {
  switch (rubik.kind) {
    case RubikKind::Transpose: {
      const int64_t index[] = {at.n, at.c, at.h, at.w};
      const int64_t order[] = {rubik.order.n, rubik.order.c, rubik.order.h, rubik.order.w};
      int64_t source[4] = {};
      for (size_t i = 0; i < 4; ++i) source[order[i]] = index[i];
      return {source[0], source[1], source[2], source[3]};
    }
    case RubikKind::Reshape: {
      int64_t rest = ((at.n * to.c + at.c) * to.h + at.h) * to.w + at.w;
      const int64_t w = rest % from.w;
      rest /= from.w;
      const int64_t h = rest % from.h;
      rest /= from.h;
      return {rest / from.c, rest % from.c, h, w};
    }
    case RubikKind::Contract: {  // channel (i * factor.w + j) * K + k goes to row i, column j of k
      const int64_t row = at.h % rubik.factor.h;
      const int64_t column = at.w % rubik.factor.w;
      return {at.n, (row * rubik.factor.w + column) * to.c + at.c, at.h / rubik.factor.h,
              at.w / rubik.factor.w};
    }
    case RubikKind::ResizeNearest:
      return {at.n, at.c, at.h / rubik.factor.h, at.w / rubik.factor.w};
    case RubikKind::Convert:
    case RubikKind::Copy:
    case RubikKind::ResizeLinear:
      break;
  }
  return at;
}

/// Two neighbours along one axis and their weights in units of 1 / (2 * factor).
struct Blend {
  int64_t low = 0, high = 0;
  int64_t low_weight = 0, high_weight = 0;
};

/// Half-pixel centres: the output's index i lies at (i + 0.5) / factor - 0.5.
Blend blend_at(int64_t index, int64_t factor, int64_t count) {
  const int64_t twice = 2 * index + 1 - factor;  // position * 2 * factor
  const int64_t unit = 2 * factor;
  const int64_t low = twice >= 0 ? twice / unit : -((-twice + unit - 1) / unit);
  const int64_t rest = twice - low * unit;
  return {std::clamp<int64_t>(low, 0, count - 1), std::clamp<int64_t>(low + 1, 0, count - 1),
          unit - rest, rest};
}

void resize_linear(const RubikParameters& rubik, const CubeView& from, const CubeView& to,
                   const Position& at) {
  const Blend rows = blend_at(at.h, rubik.factor.h, from.dims().h);
  const Blend columns = blend_at(at.w, rubik.factor.w, from.dims().w);
  const int64_t whole = 4 * rubik.factor.h * rubik.factor.w;
  const auto mean = [&]<class Number>(auto&& read) {
    const auto row = [&](int64_t h) {
      return static_cast<Number>(columns.low_weight) * read(h, columns.low) +
             static_cast<Number>(columns.high_weight) * read(h, columns.high);
    };
    return static_cast<Number>(rows.low_weight) * row(rows.low) +
           static_cast<Number>(rows.high_weight) * row(rows.high);
  };
  if (from.is_int8()) {
    const int64_t sum = mean.operator()<int64_t>([&](int64_t h, int64_t w) {
      return int64_t{from.load<int8_t>({at.n, at.c, h, w})};
    });
    const int64_t rounded =
        sum >= 0 ? (2 * sum + whole) / (2 * whole) : -((-2 * sum + whole) / (2 * whole));
    return to.store(at, saturate<int8_t>(rounded));
  }
  const float sum = mean.operator()<float>([&](int64_t h, int64_t w) {
    return widen(from.load<Half>({at.n, at.c, h, w}));
  });
  to.store(at, to_half(sum / static_cast<float>(whole)));
}

/// Channels that every move of @p rubik takes along together: side by side in both tensors, before
/// and after.
int64_t lanes_of(const RubikParameters& rubik, const CubeView& from, const CubeView& to) {
  const int64_t lanes = common_lanes(from.layout(), to.layout());
  switch (rubik.kind) {
    case RubikKind::Convert:
    case RubikKind::ResizeNearest:
      return lanes;
    case RubikKind::Copy:
      return std::gcd(lanes, std::gcd(rubik.from.c, rubik.to.c));
    case RubikKind::Contract:
      return std::gcd(lanes, to.dims().c);
    case RubikKind::Transpose:
    case RubikKind::Reshape:
    case RubikKind::ResizeLinear:
      break;
  }
  return 1;
}

/// Moves blocks of @p lanes channels to every pixel of @p extent; @p target and @p source say where
/// the one at a position goes to and comes from.
template <class Target, class Source>
void move(const CubeView& from, const CubeView& to, const Nchw& extent, int64_t lanes,
          ThreadPool& threads, Target&& target, Source&& source) {
  for_each_block_row(extent, lanes, threads,
                     [&](int64_t n, int64_t c, int64_t channels, int64_t h) {
                       const auto bytes = static_cast<size_t>(channels * to.layout().element);
                       for (int64_t w = 0; w < extent.w; ++w) {
                         const Position at{n, c, h, w};
                         std::memcpy(to.at(target(at)), from.at(source(at)), bytes);
                       }
                     });
}

Position operator+(const Nchw& offset, const Position& at) {
  return {offset.n + at.n, offset.c + at.c, offset.h + at.h, offset.w + at.w};
}

}  // namespace

void run_rubik(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& rubik = std::get<RubikParameters>(operation.parameters);
  const CubeView from = memory.view(operation.input);
  const CubeView to = memory.view(operation.output);
  const int64_t lanes = lanes_of(rubik, from, to);
  if (rubik.kind == RubikKind::Copy)
    return move(
        from, to, rubik.extent, lanes, threads, [&](const Position& at) { return rubik.to + at; },
        [&](const Position& at) { return rubik.from + at; });
  if (rubik.kind == RubikKind::ResizeLinear)
    return for_each_row(to.dims(), threads, [&](int64_t n, int64_t c, int64_t h) {
      for (int64_t w = 0; w < to.dims().w; ++w) resize_linear(rubik, from, to, {n, c, h, w});
    });
  move(
      from, to, to.dims(), lanes, threads, [](const Position& at) { return at; },
      [&](const Position& at) { return source_of(rubik, from.dims(), to.dims(), at); });
}

void run_bdma(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const CubeView from = memory.view(operation.input);
  const CubeView to = memory.view(operation.output);
  const auto same = [](const Position& at) { return at; };
  move(from, to, to.dims(), common_lanes(from.layout(), to.layout()), threads, same, same);
}

}  // namespace dlaexec::dla::core
