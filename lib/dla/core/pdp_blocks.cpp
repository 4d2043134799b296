// Pooling of whole channel blocks, neighbouring channels in vectors of 16 bytes, which SSE2 and
// NEON have. Integers only, so the bits are those of the scalar code.
#include <algorithm>

#include "dla/core/blocks.h"
#include "dla/core/pdp_window.h"
#include "dla/core/prepared.h"

namespace dlaexec::dla::core {
namespace {

constexpr int64_t kInt8Lanes = 32, kHalfLanes = 16;
constexpr int64_t kMostCells = 64;  // of an average in 16 bits: the largest window that rules allow

/// 16 bytes of neighbouring channels.
using Bytes [[gnu::vector_size(16)]] = int8_t;
using Words [[gnu::vector_size(16)]] = int16_t;

template <class Vector>
Vector load(const std::byte* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

/// The largest of the cells, or the least number where there is none.
class MaximumInt8 {
 public:
  static constexpr int64_t kBytes = 16;  ///< of a cell that take() reads

  explicit MaximumInt8(const PdpParameters&) {}
  void take(const std::byte* cell) {
    const auto found = load<Bytes>(cell);
    largest_ = found > largest_ ? found : largest_;
  }
  void give(std::byte* to) const { std::memcpy(to, &largest_, kBytes); }

 private:
  Bytes largest_ = Bytes{} + int8_t{-128};
};

/// FP16 numbers are compared by keys in the same order; a NaN never wins, both zeros are equal.
class MaximumHalf {
 public:
  static constexpr int64_t kBytes = 16;

  explicit MaximumHalf(const PdpParameters&) {}
  void take(const std::byte* cell) {
    const auto bits = load<Words>(cell);
    const Words magnitude = bits & 0x7fff;
    const Words negative = bits < 0;  // 0 or -1
    const Words ordered = (magnitude ^ negative) - negative;
    const Words key = magnitude > kInfinity ? Words{} + INT16_MIN : ordered;
    largest_ = key > key_ ? bits : largest_;
    key_ = key > key_ ? key : key_;
  }
  void give(std::byte* to) const {
    const Words finite = largest_ == kInfinity ? Words{} + kMost : largest_;
    std::memcpy(to, &finite, kBytes);
  }

 private:
  static constexpr int16_t kInfinity = 0x7c00, kMost = 0x7bff;

  Words largest_ = Words{} + static_cast<int16_t>(kMost | 0x8000);
  Words key_ = Words{} + static_cast<int16_t>(-kMost);
};

/// The sum, then two reciprocals, each rounded. 64 cells of 8 bits fit 16, times 2^16 they stay
/// below 2^30.
class AverageInt8 {
 public:
  static constexpr int64_t kBytes = 8;

  explicit AverageInt8(const PdpParameters& pool)
      : over_width_(pool.reciprocal_w), over_height_(pool.reciprocal_h) {}
  void take(const std::byte* cell) {
    using Eight [[gnu::vector_size(8)]] = int8_t;
    sums_ += __builtin_convertvector(load<Eight>(cell), Words);
  }
  void give(std::byte* to) const {
    for (int i = 0; i < kBytes; ++i) {
      const int32_t mean = shifted(shifted(sums_[i] * over_width_) * over_height_);
      to[i] = static_cast<std::byte>(std::clamp(mean, -128, 127));
    }
  }

 private:
  /// value / 2^16, ties away from zero.
  static int32_t shifted(int32_t value) {
    const int32_t sign = value >> 31;  // -1 or 0
    const int32_t magnitude = (value ^ sign) - sign;
    const int32_t rounded = (magnitude + 0x8000) >> 16;
    return (rounded ^ sign) - sign;
  }

  int32_t over_width_, over_height_;
  Words sums_{};
};

template <class Pool>
void pool_blocks(const CubeView& input, const CubeView& output, const PdpParameters& parameters,
                 ThreadPool& threads) {
  const Layout& from = input.layout();
  const Layout& to = output.layout();
  const auto row = [&](int64_t n, int64_t c, int64_t channels, int64_t p) {
    const std::byte* const surface = input.at({n, c, 0, 0});
    std::byte* const made = output.at({n, c, p, 0});
    const int64_t bytes = channels * to.element;
    for (int64_t q = 0; q < output.dims().w; ++q) {
      const Window window = window_at(parameters, input.dims(), p, q);
      for (int64_t byte = 0; byte < bytes; byte += Pool::kBytes) {
        Pool pool(parameters);
        for_each_cell(window, [&](int64_t h, int64_t w) {
          pool.take(surface + h * from.line + w * from.pixel + byte);
        });
        std::byte* const pixel = made + q * to.pixel + byte;
        if (bytes - byte >= Pool::kBytes) {
          pool.give(pixel);
          continue;
        }
        // What lies behind the last channel is not this tensor's.
        std::byte whole[Pool::kBytes];
        pool.give(whole);
        std::memcpy(pixel, whole, static_cast<size_t>(bytes - byte));
      }
    }
  };
  for_each_block_row(output.dims(), from.lanes, threads, row);
}

using Pooling = void (*)(const CubeView& input, const CubeView& output,
                         const PdpParameters& parameters, ThreadPool& threads);

/// Null for what only the scalar code does.
Pooling pooling_of(const PdpParameters& pool, bool is_int8) {
  if (pool.kind == PdpKind::Max)
    return is_int8 ? pool_blocks<MaximumInt8> : pool_blocks<MaximumHalf>;
  const bool fits = pool.kernel.h * pool.kernel.w <= kMostCells;
  return pool.kind == PdpKind::Average && is_int8 && fits ? pool_blocks<AverageInt8> : nullptr;
}

class BlockPooling final : public Prepared {
 public:
  BlockPooling(const Operation& operation, Pooling pooling)
      : operation_(operation), pooling_(pooling) {}

  void run(const Memory& memory, ThreadPool& threads) override {
    pooling_(memory.view(operation_.input), memory.view(operation_.output),
             std::get<PdpParameters>(operation_.parameters), threads);
  }

 private:
  const Operation& operation_;
  Pooling pooling_;
};

}  // namespace

std::unique_ptr<Prepared> prepare_pooling(const Loadable& loadable, const Operation& operation) {
  const auto* pool = std::get_if<PdpParameters>(&operation.parameters);
  if (pool == nullptr) return nullptr;
  const Cube& input = loadable.cube(operation.input);
  const bool is_int8 = input.type == ir::DataType::Int8;
  const int64_t lanes = is_int8 ? kInt8Lanes : kHalfLanes;
  const bool in_blocks =
      input.layout.lanes == lanes && loadable.cube(operation.output).layout.lanes == lanes;
  const Pooling pooling = pooling_of(*pool, is_int8);
  if (!in_blocks || pooling == nullptr) return nullptr;
  return std::make_unique<BlockPooling>(operation, pooling);
}

}  // namespace dlaexec::dla::core
