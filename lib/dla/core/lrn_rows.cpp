#include "dla/core/lrn_rows.h"

#include <bit>

#include "dla/core/rows.h"
#include "dla/core/sdp.h"

namespace dlaexec::dla::core {

/// The channels of one pixel: values, their squares with room for the window on both sides, sums.
struct PixelRows {
  float* values;
  float* squares;
  float* sums;
};

namespace {

constexpr uint32_t kLeastNormal = std::bit_cast<uint32_t>(0x1p-30f);
constexpr uint32_t kLargest = std::bit_cast<uint32_t>(0x1.ffcp31f);
constexpr uint32_t kInfinity = 0x7f800000;
constexpr int kMantissaBits = 13;          // that FP17 has fewer than FP32
constexpr uint32_t kSubnormals = 1 << 10;  // FP17 numbers below 2^-30: multiples of 2^-40

/// to_fp17 without branches, so that loops over it become vector code.
inline float fp17(float value) {
  const auto word = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = word & 0x7fffffffu;
  const uint32_t nearest =
      std::min((magnitude + 0xfffu + ((magnitude >> kMantissaBits) & 1u)) & ~0x1fffu, kLargest);
  const float small = (std::bit_cast<float>(magnitude) + 0x1p-17f) - 0x1p-17f;
  const uint32_t rounded = magnitude < kLeastNormal ? std::bit_cast<uint32_t>(small) : nearest;
  return std::bit_cast<float>((magnitude > kInfinity ? magnitude : rounded) | (word & 0x80000000u));
}

/// The place of a FP17 number of at least 0 among all of them.
constexpr uint32_t index_of(float sum) {
  const auto word = std::bit_cast<uint32_t>(sum);
  if (word < kLeastNormal) return static_cast<uint32_t>(sum * 0x1p40f);
  return (word >> kMantissaBits) - (kLeastNormal >> kMantissaBits) + kSubnormals;
}
float number_at(uint32_t index) {
  if (index < kSubnormals) return static_cast<float>(index) * 0x1p-40f;
  return std::bit_cast<float>((index - kSubnormals + (kLeastNormal >> kMantissaBits))
                              << kMantissaBits);
}
constexpr uint32_t kNumbers = index_of(std::bit_cast<float>(kLargest)) + 1;

}  // namespace

std::unique_ptr<LrnRows> LrnRows::make(const Loadable& loadable, const Operation& operation,
                                       ThreadPool& threads) {
  const auto* cdp = std::get_if<CdpParameters>(&operation.parameters);
  if (cdp == nullptr || cdp->kind != CdpKind::Lrn) return nullptr;
  if (loadable.cube(operation.input).dims.count() < int64_t{kNumbers}) return nullptr;
  std::unique_ptr<LrnRows> rows(new LrnRows(operation));
  rows->fill(loadable, threads);
  return rows;
}

void LrnRows::fill(const Loadable& loadable, ThreadPool& threads) {
  const Lut& lut = std::get<CdpParameters>(operation_.parameters).lut;
  Memory memory;  // for its constants
  memory.loadable = &loadable;
  const Half* const entries = memory.constants<Half>(lut.entries);
  factors_.resize(kNumbers);
  constexpr int64_t kGrain = 4096;
  threads.parallel_ranges(kNumbers, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      factors_[static_cast<size_t>(i)] =
          to_fp17(look_up(lut, entries, number_at(static_cast<uint32_t>(i))));
  });
}

void LrnRows::run_pixel(const CubeView& input, const CubeView& output, const PixelRows& rows,
                        int64_t n, int64_t h, int64_t w) const {
  const auto& cdp = std::get<CdpParameters>(operation_.parameters);
  const int64_t channels = input.dims().c, reach = cdp.size / 2;
  for (int64_t c = 0; c < channels; ++c)
    rows.values[c] = fp17(read_float(input, {n, c, h, w}, cdp.input));
  for (int64_t c = 0; c < channels; ++c)
    rows.squares[reach + c] = fp17(rows.values[c] * rows.values[c]);
  std::fill_n(rows.sums, channels, 0.0f);
  for (int64_t d = 0; d < cdp.size; ++d)
    for (int64_t c = 0; c < channels; ++c) rows.sums[c] = fp17(rows.sums[c] + rows.squares[c + d]);
  for (int64_t c = 0; c < channels; ++c) {
    const float sum = rows.sums[c];
    const float factor = std::isnan(sum) ? sum : factors_[index_of(sum)];
    write_float(output, {n, c, h, w}, fp17(rows.values[c] * factor), cdp.output);
  }
}

void LrnRows::run(const Memory& memory, ThreadPool& threads) const {
  const CubeView input = memory.view(operation_.input), output = memory.view(operation_.output);
  const Nchw& dims = input.dims();
  const int64_t size = std::get<CdpParameters>(operation_.parameters).size;
  const Nchw lines{dims.n, 1, dims.h, dims.w};
  const auto channels = static_cast<size_t>(dims.c);
  for_each_row(lines, threads, [&](int64_t n, int64_t, int64_t h) {
    // Zeros left and right of the squares: the window sums them to no effect.
    std::vector<float> values(channels), sums(channels),
        squares(channels + static_cast<size_t>(size), 0.0f);
    const PixelRows rows{values.data(), squares.data(), sums.data()};
    for (int64_t w = 0; w < dims.w; ++w) run_pixel(input, output, rows, n, h, w);
  });
}

}  // namespace dlaexec::dla::core
