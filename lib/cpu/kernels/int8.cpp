#include "cpu/kernels/int8.h"

#include <array>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/int8.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/float_vector-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

constexpr int kMostRows = kLanes == 16 ? 14 : 6;
constexpr int kMostBlocks = kLanes == 16 ? 2 : 1;

using Sums = hn::FixedTag<int32_t, kLanes>;
using Words = hn::FixedTag<int16_t, 2 * kLanes>;
using SumVector = hn::Vec<Sums>;

/// sums + a[0] * b[0] + a[1] * b[1], for the two int16 in each lane.
HWY_INLINE SumVector add_pairs(SumVector sums, SumVector a, SumVector b) {
#if HWY_ARCH_X86
  const Words words;
  SumVector unused = hn::Zero(Sums());
  return hn::ReorderWidenMulAccumulate(Sums(), hn::BitCast(words, a), hn::BitCast(words, b), sums,
                                       unused);
#else
  const auto low = [](SumVector v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  const auto high = [](SumVector v) { return hn::ShiftRight<16>(v); };
  return hn::Add(sums, hn::Add(hn::Mul(low(a), low(b)), hn::Mul(high(a), high(b))));
#endif
}

template <int kRows, int kBlocks>
void run_pairs(const Int8Tile& tile) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  const Sums d;
  SumVector sums[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  const auto* weights = static_cast<const int32_t*>(tile.weights);
  for (int64_t c = 0; c < tile.chunk_count; ++c) {
    const int16_t* base = static_cast<const int16_t*>(tile.input) + tile.chunks[c];
    for (const int16_t* end = base + tile.chunk_terms; base != end; base += 2) {
      SumVector weight[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(d, weights + v * kLanes);
      weights += kVectors * kLanes;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        int32_t both;
        __builtin_memcpy(&both, base + r * tile.row_step, sizeof both);
        const SumVector input = hn::Set(d, both);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[r][v] = add_pairs(sums[r][v], input, weight[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(sums[r][v], d, tile.sums + (r * kVectors + v) * kLanes);
}

template <int kBlocks, int... kIndex>
constexpr std::array<Int8TileKernel, sizeof...(kIndex)> by_rows(
    std::integer_sequence<int, kIndex...>) {
  return {&run_pairs<kIndex + 1, kBlocks>...};
}

Int8TileKernel find_pairs(int rows, int blocks) {
  using Rows = std::make_integer_sequence<int, kMostRows>;
  static constexpr auto kOne = by_rows<1>(Rows{});
  static constexpr auto kTwo = by_rows<kMostBlocks>(Rows{});
  return (blocks == 1 ? kOne : kTwo)[static_cast<size_t>(rows - 1)];
}

// In double, as the definition computes it: the results then are the definition's.
using Doubles = hn::FixedTag<double, kLanes / 2>;
using HalfFloats = hn::FixedTag<float, kLanes / 2>;
using HalfSums = hn::FixedTag<int32_t, kLanes / 2>;

HWY_INLINE hn::Vec<Doubles> corrected(const int32_t* sums, const int32_t* correction) {
  auto sum = hn::LoadU(HalfSums(), sums);
  if (correction != nullptr) sum = hn::Add(sum, hn::LoadU(HalfSums(), correction));
  return hn::PromoteTo(Doubles(), sum);
}

HWY_INLINE hn::Vec<Doubles> corrected(const float* sums, const int32_t*) {
  return hn::PromoteTo(Doubles(), hn::LoadU(HalfFloats(), sums));
}

template <class Sum>
void finish_sums(const Sum* sums, const Int8Results& to) {
  const Doubles d;
  const HalfFloats floats;
  const auto low = hn::Set(floats, to.low), high = hn::Set(floats, to.high);
  for (int r = 0; r < to.rows; ++r)
    for (int64_t lane = 0; lane < 16; lane += kLanes / 2) {
      const int64_t at = r * to.output_step + lane;
      auto real = hn::Mul(corrected(sums + r * to.sums_step + lane,
                                    to.correction == nullptr ? nullptr : to.correction + lane),
                          hn::LoadU(d, to.factor + lane));
      real = hn::Add(real, hn::LoadU(d, to.bias + lane));
      if (to.residual != nullptr)
        real = hn::Add(real, hn::PromoteTo(d, hn::LoadU(floats, to.residual + at)));
      const auto rounded = hn::DemoteTo(floats, real);
      hn::StoreU(between(low, high, rounded), floats, to.output + at);
    }
}

void finish(const int32_t* sums, const Int8Results& results) { finish_sums(sums, results); }
void finish_whole(const float* sums, const Int8Results& results) { finish_sums(sums, results); }

/// The steps that real numbers q * scale are: times the reciprocal, which is off by less than a
/// millionth, is as near to q as a division.
HWY_INLINE Vector whole(const float* from, Vector steps_per_one) {
  const Floats d;
  const Vector steps = hn::Round(hn::Mul(hn::LoadU(d, from), steps_per_one));
  return between(hn::Set(d, -128.0f), hn::Set(d, 127.0f), steps);
}

/// Runs @p vector over whole vectors and @p one over the rest.
template <class To, class Run>
HWY_INLINE void convert(const float* from, To* to, int64_t count, Run&& run) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) run(from + i, to + i);
  if (i == count) return;
  float last[kLanes] = {};
  To made[kLanes];
  for (int64_t k = i; k < count; ++k) last[k - i] = from[k];
  run(last, made);
  for (int64_t k = i; k < count; ++k) to[k] = made[k - i];
}

void to_pairs(float scale, const float* from, int16_t* to, int64_t count) {
  const Vector by = hn::Set(Floats(), 1 / scale);
  const hn::FixedTag<int16_t, kLanes> d;
  convert(from, to, count, [&](const float* x, int16_t* y) {
    hn::StoreU(hn::DemoteTo(d, hn::ConvertTo(Sums(), whole(x, by))), d, y);
  });
}

void to_quads(float scale, uint8_t zero, const float* from, uint8_t* to, int64_t count) {
  const Vector by = hn::Set(Floats(), 1 / scale);
  const Sums sums;
  const auto above = hn::Set(sums, zero);
  const hn::FixedTag<uint8_t, kLanes> bytes;
  const hn::FixedTag<uint32_t, kLanes> words;
  convert(from, to, count, [&](const float* x, uint8_t* y) {
    const auto terms = hn::Add(hn::ConvertTo(sums, whole(x, by)), above);
    hn::StoreU(hn::U8FromU32(hn::And(hn::BitCast(words, terms), hn::Set(words, 0xff))), bytes, y);
  });
}

void to_cells(float scale, const float* from, uint8_t* to, int64_t blocks, int64_t cell) {
  for (int64_t i = 0; i < blocks; ++i) to_quads(scale, 0, from + i * 16, to + i * cell, 16);
}

void to_whole(float scale, const float* from, float* to, int64_t count) {
  const Vector by = hn::Set(Floats(), 1 / scale);
  convert(from, to, count,
          [&](const float* x, float* y) { hn::StoreU(whole(x, by), Floats(), y); });
}

}  // namespace

extern const Int8Kernels kInt8Kernels;
const Int8Kernels kInt8Kernels{{Int8Order::Pairs, 0, kMostRows, kMostBlocks, 16, &find_pairs},
                               &finish,
                               &finish_whole,
                               &to_pairs,
                               &to_quads,
                               &to_cells,
                               &to_whole};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {
namespace {

constexpr size_t kIsas = ir::kEnumText<Isa>.size();

std::array<Int8Kernels, kIsas> all_kernels() {
  std::array<Int8Kernels, kIsas> all;
  for (size_t i = 0; i < kIsas; ++i) {
    const Isa isa = static_cast<Isa>(i);
    all[i] = DLAEXEC_FOR_ISA(isa, kInt8Kernels);
    for (const auto& better : {dot_product_tiles(isa), amx_tiles(isa)})
      if (better) all[i].tiles = *better;
  }
  return all;
}

}  // namespace

const Int8Kernels& int8_kernels(Isa isa) {
  static const std::array<Int8Kernels, kIsas> kAll = all_kernels();
  return kAll[static_cast<size_t>(isa)];
}

}  // namespace dlaexec::cpu
#endif
