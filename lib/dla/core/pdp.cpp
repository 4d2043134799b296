// Pooling. A window that is cut off by the border takes the cells inside for a maximum, and zeros
// for the others in an average.
#include "dla/core/pdp_window.h"
#include "dla/core/rows.h"
#include "dla/core/sdp.h"
#include "dla/core/units.h"

namespace dlaexec::dla::core {
namespace {

/// The integer sum, then two reciprocals, each with its own rounding.
int8_t average_int8(const CubeView& input, const PdpParameters& pool, const Window& window,
                    const Position& at) {
  int64_t sum = 0;
  for_each_cell(window, [&](int64_t h, int64_t w) {
    sum += input.load<int8_t>({at.n, at.c, h, w});
  });
  const int64_t over_width = shift_right_rounded(sum * pool.reciprocal_w, 16);
  return saturate<int8_t>(shift_right_rounded(over_width * pool.reciprocal_h, 16));
}

/// FP17: each row summed from the left, then the rows from the top, then two reciprocals.
Half average_half(const CubeView& input, const PdpParameters& pool, const Window& window,
                  const Position& at) {
  float sum = 0;
  for (int64_t h = window.top; h < window.bottom; ++h) {
    float row = 0;
    for (int64_t w = window.left; w < window.right; ++w)
      row = to_fp17(row + widen(input.load<Half>({at.n, at.c, h, w})));
    sum = to_fp17(sum + row);
  }
  const float reciprocal_w = to_fp17(1.0f / static_cast<float>(pool.kernel.w));
  const float reciprocal_h = to_fp17(1.0f / static_cast<float>(pool.kernel.h));
  return to_half(to_fp17(to_fp17(sum * reciprocal_w) * reciprocal_h));
}

template <class Body>
int8_t maximum_int8(Body&& for_cells, const CubeView& input) {
  int8_t largest = -128;
  for_cells([&](const Position& at) { largest = std::max(largest, input.load<int8_t>(at)); });
  return largest;
}

/// A NaN never wins; without any number the result is the least FP16.
template <class Body>
Half maximum_half(Body&& for_cells, const CubeView& input) {
  float largest = -kLargestHalf;
  for_cells([&](const Position& at) {
    const float value = static_cast<float>(input.load<Half>(at));
    largest = value > largest ? value : largest;
  });
  return to_half(largest);
}

void pool_element(const CubeView& input, const CubeView& output, const PdpParameters& pool,
                  const Position& at) {
  const Window window = window_at(pool, input.dims(), at.h, at.w);
  if (pool.kind == PdpKind::Average) {
    if (input.is_int8()) return output.store(at, average_int8(input, pool, window, at));
    return output.store(at, average_half(input, pool, window, at));
  }
  const auto cells = [&](auto&& body) {
    for_each_cell(window, [&](int64_t h, int64_t w) { body(Position{at.n, at.c, h, w}); });
  };
  if (input.is_int8()) return output.store(at, maximum_int8(cells, input));
  output.store(at, maximum_half(cells, input));
}

void reduce_element(const CubeView& input, const CubeView& output, const Position& at) {
  const Nchw& from = input.dims();
  const Nchw& to = output.dims();
  const auto range = [](int64_t from_dim, int64_t to_dim, int64_t index) {
    return from_dim == to_dim ? std::pair(index, index + 1) : std::pair(int64_t{0}, from_dim);
  };
  const auto [c0, c1] = range(from.c, to.c, at.c);
  const auto [h0, h1] = range(from.h, to.h, at.h);
  const auto [w0, w1] = range(from.w, to.w, at.w);
  const auto cells = [&, c0 = c0, c1 = c1, h0 = h0, h1 = h1, w0 = w0, w1 = w1](auto&& body) {
    for (int64_t c = c0; c < c1; ++c)
      for (int64_t h = h0; h < h1; ++h)
        for (int64_t w = w0; w < w1; ++w) body(Position{at.n, c, h, w});
  };
  if (input.is_int8()) return output.store(at, maximum_int8(cells, input));
  output.store(at, maximum_half(cells, input));
}

}  // namespace

void run_pdp(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& pool = std::get<PdpParameters>(operation.parameters);
  const CubeView input = memory.view(operation.input);
  const CubeView output = memory.view(operation.output);
  for_each_row(output.dims(), threads, [&](int64_t n, int64_t c, int64_t h) {
    for (int64_t w = 0; w < output.dims().w; ++w) {
      if (pool.kind == PdpKind::ReduceMax)
        reduce_element(input, output, {n, c, h, w});
      else
        pool_element(input, output, pool, {n, c, h, w});
    }
  });
}

}  // namespace dlaexec::dla::core
