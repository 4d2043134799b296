// LRN by pixels: each element is read and squared once, and the function table is evaluated once
// for every FP17 number.
#include <vector>

#include "dla/core/half_lanes.h"
#include "dla/core/prepared.h"
#include "dla/core/rows.h"
#include "dla/core/sdp.h"

namespace dlaexec::dla::core {

namespace {

/// The channels of one pixel: values, their squares with room for the window on both sides, sums
/// and where the factors of these stand.
struct PixelRows {
  float* values;
  float* squares;
  float* sums;
  uint32_t* places;
};

constexpr uint32_t kSubnormals = 1 << 10;  // FP17 numbers below 2^-30: multiples of 2^-40
constexpr uint32_t kFirstNormal = kLeastNormalFp17 >> kFp17Dropped;
constexpr uint32_t kNumbers = (kLargestFp17 >> kFp17Dropped) - kFirstNormal + kSubnormals + 1;
constexpr uint32_t kNanPlace = kNumbers;

/// The place of a FP17 number of at least 0 among all of them; NaN is behind the last.
inline uint32_t place_of(float sum) {
  const auto word = std::bit_cast<uint32_t>(sum);
  const auto small = static_cast<uint32_t>(static_cast<int32_t>(sum * 0x1p40f));
  const uint32_t normal = (word >> kFp17Dropped) - kFirstNormal + kSubnormals;
  const uint32_t number = word < kLeastNormalFp17 ? small : normal;
  return word > kInfinityWord ? kNanPlace : number;
}
float number_at(uint32_t place) {
  if (place == kNanPlace) return std::numeric_limits<float>::quiet_NaN();
  if (place < kSubnormals) return static_cast<float>(place) * 0x1p-40f;
  return std::bit_cast<float>((place - kSubnormals + kFirstNormal) << kFp17Dropped);
}

/// The channels of a pixel in FP17.
void read_pixel(const CubeView& input, const Converter& converter, const Position& pixel,
                float* values) {
  const int64_t channels = input.dims().c, lanes = input.layout().lanes;
  for (int64_t c = 0; c < channels; c += lanes) {
    const Position at{pixel.n, c, pixel.h, pixel.w};
    const int64_t count = std::min(lanes, channels - c);
    if (input.is_int8()) {
      const auto* const stored = reinterpret_cast<const int8_t*>(input.at(at));
      for (int64_t i = 0; i < count; ++i) values[c + i] = fp17(real_of(stored[i], converter));
    } else {
      const auto* const stored = reinterpret_cast<const uint16_t*>(input.at(at));
      for (int64_t i = 0; i < count; ++i) values[c + i] = fp17_of(stored[i]);
    }
  }
}

/// Writes FP17 numbers to the channels of a pixel.
void write_pixel(const CubeView& output, const Converter& converter, const Position& pixel,
                 const float* values) {
  const int64_t channels = output.dims().c, lanes = output.layout().lanes;
  for (int64_t c = 0; c < channels; c += lanes) {
    const Position at{pixel.n, c, pixel.h, pixel.w};
    const int64_t count = std::min(lanes, channels - c);
    if (output.is_int8()) {
      auto* const stored = reinterpret_cast<int8_t*>(output.at(at));
      for (int64_t i = 0; i < count; ++i) stored[i] = to_int8(values[c + i], converter);
    } else {
      auto* const stored = reinterpret_cast<uint16_t*>(output.at(at));
      for (int64_t i = 0; i < count; ++i) stored[i] = half_of_fp17(values[c + i]);
    }
  }
}

class LrnPixels final : public Prepared {
 public:
  /// Null for an operation that is no LRN, or smaller than its table.
  static std::unique_ptr<LrnPixels> make(const Loadable& loadable, const Operation& operation,
                                         ThreadPool& threads);

  void run(const Memory& memory, ThreadPool& threads) override;

 private:
  explicit LrnPixels(const Operation& operation) : operation_(operation) {}
  void fill(const Loadable& loadable, ThreadPool& threads);
  void run_pixel(const CubeView& input, const CubeView& output, const PixelRows& rows,
                 const Position& pixel) const;

  const Operation& operation_;
  std::vector<float> factors_;  ///< in FP17, by place_of the sum of squares
};

std::unique_ptr<LrnPixels> LrnPixels::make(const Loadable& loadable, const Operation& operation,
                                           ThreadPool& threads) {
  const auto* cdp = std::get_if<CdpParameters>(&operation.parameters);
  if (cdp == nullptr || cdp->kind != CdpKind::Lrn) return nullptr;
  if (loadable.cube(operation.input).dims.count() < int64_t{kNumbers}) return nullptr;
  std::unique_ptr<LrnPixels> rows(new LrnPixels(operation));
  rows->fill(loadable, threads);
  return rows;
}

void LrnPixels::fill(const Loadable& loadable, ThreadPool& threads) {
  const Lut& lut = std::get<CdpParameters>(operation_.parameters).lut;
  Memory memory;  // for its constants
  memory.loadable = &loadable;
  const Half* const entries = memory.constants<Half>(lut.entries);
  factors_.resize(kNumbers + 1);  // the last is NaN's
  constexpr int64_t kGrain = 4096;
  threads.parallel_ranges(kNumbers + 1, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      factors_[static_cast<size_t>(i)] =
          to_fp17(look_up(lut, entries, number_at(static_cast<uint32_t>(i))));
  });
}

void LrnPixels::run_pixel(const CubeView& input, const CubeView& output, const PixelRows& rows,
                          const Position& pixel) const {
  const auto& cdp = std::get<CdpParameters>(operation_.parameters);
  const int64_t channels = input.dims().c, reach = cdp.size / 2;
  read_pixel(input, cdp.input, pixel, rows.values);
  for (int64_t c = 0; c < channels; ++c)
    rows.squares[reach + c] = fp17(rows.values[c] * rows.values[c]);
  std::fill_n(rows.sums, channels, 0.0f);
  for (int64_t d = 0; d < cdp.size; ++d)
    for (int64_t c = 0; c < channels; ++c) rows.sums[c] = fp17(rows.sums[c] + rows.squares[c + d]);
  for (int64_t c = 0; c < channels; ++c) rows.places[c] = place_of(rows.sums[c]);
  for (int64_t c = 0; c < channels; ++c) rows.sums[c] = factors_[rows.places[c]];
  for (int64_t c = 0; c < channels; ++c) rows.values[c] = fp17(rows.values[c] * rows.sums[c]);
  write_pixel(output, cdp.output, pixel, rows.values);
}

void LrnPixels::run(const Memory& memory, ThreadPool& threads) {
  const CubeView input = memory.view(operation_.input), output = memory.view(operation_.output);
  const Nchw& dims = input.dims();
  const int64_t size = std::get<CdpParameters>(operation_.parameters).size;
  const Nchw lines{dims.n, 1, dims.h, dims.w};
  const auto channels = static_cast<size_t>(dims.c);
  for_each_row(lines, threads, [&](int64_t n, int64_t, int64_t h) {
    // Zeros left and right of the squares: the window sums them to no effect.
    std::vector<float> values(channels), sums(channels),
        squares(channels + static_cast<size_t>(size), 0.0f);
    std::vector<uint32_t> places(channels);
    const PixelRows rows{values.data(), squares.data(), sums.data(), places.data()};
    for (int64_t w = 0; w < dims.w; ++w) run_pixel(input, output, rows, {n, 0, h, w});
  });
}

}  // namespace

std::unique_ptr<Prepared> prepare_lrn(const Loadable& loadable, const Operation& operation,
                                      ThreadPool& threads) {
  return LrnPixels::make(loadable, operation, threads);
}

}  // namespace dlaexec::dla::core
