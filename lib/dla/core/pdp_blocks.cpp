// Pooling of whole channel blocks: plain loops over the channels of an atom, which the compiler
// turns into the vector instructions that every machine of its target has. Integers only, so the
// bits are those of the scalar code.
#include <array>

#include "dla/core/blocks.h"
#include "dla/core/pdp_window.h"
#include "dla/core/units.h"

namespace dlaexec::dla::core {
namespace {

constexpr int64_t kInt8Lanes = 32, kHalfLanes = 16;
constexpr int64_t kMostCells = 64;  // of an average in 32 bits: the largest window that rules allow

/// The largest of the cells, or the least number where there is none.
struct MaximumInt8 {
  static constexpr int64_t kLanes = kInt8Lanes;
  using Element = int8_t;

  explicit MaximumInt8(const PdpParameters&) { largest.fill(-128); }
  void take(const int8_t* cell) {
    for (size_t i = 0; i < kLanes; ++i) largest[i] = std::max(largest[i], cell[i]);
  }
  void give(int8_t* to) const { std::copy(largest.begin(), largest.end(), to); }

  std::array<int8_t, kLanes> largest;
};

/// FP16 numbers are compared by keys in the same order; a NaN never wins, both zeros are equal.
struct MaximumHalf {
  static constexpr int64_t kLanes = kHalfLanes;
  using Element = uint16_t;

  explicit MaximumHalf(const PdpParameters&) {
    largest.fill(kLeast);
    keys.fill(key(kLeast));
  }
  void take(const uint16_t* cell) {
    for (size_t i = 0; i < kLanes; ++i) {
      const int16_t found = key(cell[i]);
      const bool wins = found > keys[i];
      keys[i] = wins ? found : keys[i];
      largest[i] = wins ? cell[i] : largest[i];
    }
  }
  void give(uint16_t* to) const {
    for (size_t i = 0; i < kLanes; ++i) to[i] = largest[i] == kInfinity ? kMost : largest[i];
  }

  std::array<uint16_t, kLanes> largest;
  std::array<int16_t, kLanes> keys;

 private:
  static constexpr uint16_t kInfinity = 0x7c00, kMost = 0x7bff, kLeast = 0xfbff;

  static int16_t key(uint16_t bits) {
    const auto magnitude = static_cast<int16_t>(bits & 0x7fff);
    const auto ordered = static_cast<int16_t>(bits & 0x8000 ? -magnitude : magnitude);
    return magnitude > kInfinity ? INT16_MIN : ordered;
  }
};

/// The sum, then two reciprocals, each rounded. 64 cells of 8 bits times 2^16 stay below 2^30.
struct AverageInt8 {
  static constexpr int64_t kLanes = kInt8Lanes;
  using Element = int8_t;

  explicit AverageInt8(const PdpParameters& pool)
      : over_width(pool.reciprocal_w), over_height(pool.reciprocal_h) {
    sums.fill(0);
  }
  void take(const int8_t* cell) {
    for (size_t i = 0; i < kLanes; ++i) sums[i] += cell[i];
  }
  void give(int8_t* to) const {
    for (size_t i = 0; i < kLanes; ++i) {
      const int32_t mean = shifted(shifted(sums[i] * over_width) * over_height);
      to[i] = static_cast<int8_t>(std::clamp(mean, -128, 127));
    }
  }

  int32_t over_width, over_height;
  std::array<int32_t, kLanes> sums;

 private:
  /// value / 2^16, ties away from zero.
  static int32_t shifted(int32_t value) {
    const int32_t sign = value >> 31;  // -1 or 0
    const int32_t magnitude = (value ^ sign) - sign;
    const int32_t rounded = (magnitude + 0x8000) >> 16;
    return (rounded ^ sign) - sign;
  }
};

template <class Pool>
void pool_blocks(const CubeView& input, const CubeView& output, const PdpParameters& parameters,
                 ThreadPool& threads) {
  using Element = typename Pool::Element;
  const auto row = [&](int64_t n, int64_t c, int64_t channels, int64_t p) {
    std::array<Element, Pool::kLanes> made;
    for (int64_t q = 0; q < output.dims().w; ++q) {
      Pool pool(parameters);
      for_each_cell(window_at(parameters, input.dims(), p, q), [&](int64_t h, int64_t w) {
        pool.take(reinterpret_cast<const Element*>(input.at({n, c, h, w})));
      });
      pool.give(made.data());
      std::memcpy(output.at({n, c, p, q}), made.data(),
                  static_cast<size_t>(channels) * sizeof(Element));
    }
  };
  for_each_block_row(output.dims(), Pool::kLanes, threads, row);
}

}  // namespace

bool run_pdp_blocks(const Memory& memory, const Operation& operation, ThreadPool& threads) {
  const auto& pool = std::get<PdpParameters>(operation.parameters);
  const CubeView input = memory.view(operation.input), output = memory.view(operation.output);
  const int64_t lanes = input.is_int8() ? kInt8Lanes : kHalfLanes;
  if (input.layout().lanes != lanes || output.layout().lanes != lanes) return false;
  if (pool.kind == PdpKind::Max)
    input.is_int8() ? pool_blocks<MaximumInt8>(input, output, pool, threads)
                    : pool_blocks<MaximumHalf>(input, output, pool, threads);
  else if (pool.kind == PdpKind::Average && input.is_int8() &&
           pool.kernel.h * pool.kernel.w <= kMostCells)
    pool_blocks<AverageInt8>(input, output, pool, threads);
  else
    return false;
  return true;
}

}  // namespace dlaexec::dla::core
