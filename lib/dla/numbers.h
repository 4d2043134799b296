// The arithmetic that every unit of the DLA shares: FP16 and FP17 rounding, converters, shifts.
// lib/dla/NUMERICS.md says where each rule comes from.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/half.h"

namespace dlaexec::dla {

/// The largest finite FP16; the DLA delivers it where IEEE would deliver infinity.
inline constexpr float kLargestHalf = 65504.0f;
/// What a convolution reads where its input holds an infinity.
inline constexpr float kConvInfinity = 65536.0f;
/// The NaN that every computing unit delivers; units that only move data keep the bits.
inline constexpr uint16_t kNanBits = 0x7e00;

/// FP32 to FP16 as the SDP delivers it: nearest even, subnormals exact, saturating at 65504, NaN
/// canonical.
inline Half to_half(float value) {
  if (std::isnan(value)) return Half::from_bits(kNanBits);
  return Half(std::clamp(value, -kLargestHalf, kLargestHalf));
}

/// @p value rounded to an FP17 number (6-bit exponent with bias 31, 10-bit mantissa), nearest even,
/// saturating. Every FP16 number is one.
inline float to_fp17(float value) {
  constexpr float kLargest = 0x1.ffcp31f;
  constexpr float kLeastNormal = 0x1p-30f;
  if (std::isnan(value)) return value;
  const float magnitude = std::fabs(value);
  if (magnitude < kLeastNormal) {  // subnormal: the addition rounds at 2^-40
    return std::copysign((magnitude + 0x1p-17f) - 0x1p-17f, value);
  }
  const uint32_t word = std::bit_cast<uint32_t>(magnitude);
  const uint32_t rounded = (word + 0xfffu + ((word >> 13) & 1u)) & ~0x1fffu;
  return std::copysign(std::min(std::bit_cast<float>(rounded), kLargest), value);
}

/// @p value rounded to FP19 (8-bit exponent, 10-bit mantissa), nearest even: the form in which
/// Orin's units take constants.
inline float to_fp19(float value) {
  if (!std::isfinite(value)) return value;
  const uint32_t word = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((word + 0xfffu + ((word >> 13) & 1u)) & ~0x1fffu);
}

/// value / 2^shift, rounded to the nearest integer, ties away from zero. Any |value| < 2^62.
constexpr int64_t shift_right_rounded(int64_t value, int shift) {
  if (shift == 0) return value;
  const int64_t half = int64_t{1} << (shift - 1);
  return value >= 0 ? (value + half) >> shift : -((-value + half) >> shift);
}

template <class Integer>
constexpr Integer saturate(int64_t value) {
  return static_cast<Integer>(std::clamp<int64_t>(value, std::numeric_limits<Integer>::min(),
                                                  std::numeric_limits<Integer>::max()));
}

/// A hardware converter: y = round_half_away((x - offset) * scale / 2^shift), saturated by whoever
/// takes it. As a factor it is scale * 2^-shift.
struct Converter {
  int32_t offset = 0;
  int16_t scale = 1;
  uint8_t shift = 0;  ///< at most 63

  template <class Self, class Visit>
  static void fields(Self& self, Visit&& visit) {
    visit("offset", self.offset);
    visit("scale", self.scale);
    visit("shift", self.shift);
  }
  bool is_identity() const { return offset == 0 && scale == 1 && shift == 0; }
  friend bool operator==(const Converter&, const Converter&) = default;
};

constexpr int64_t apply(const Converter& converter, int64_t value) {
  return shift_right_rounded((value - converter.offset) * converter.scale, converter.shift);
}

/// The factor that a converter stands for; exact.
inline double factor(const Converter& converter) {
  return std::ldexp(static_cast<double>(converter.scale), -converter.shift);
}

/// The converter nearest to @p factor: a mantissa in [2^14, 2^15) wherever the shift's range allows
/// it, so a relative error of at most 2^-15. Factors past 32767 saturate, factors under 2^-63 lose
/// precision; is_representable tells.
inline Converter converter_of(double factor) {
  Converter converter;
  if (factor == 0) {
    converter.scale = 0;
    return converter;
  }
  int exponent = 0;
  std::frexp(factor, &exponent);  // |factor| in [2^(exponent-1), 2^exponent)
  int shift = std::clamp(15 - exponent, 0, 63);
  double mantissa = std::nearbyint(std::ldexp(factor, shift));
  if (std::fabs(mantissa) > 32767 && shift > 0)
    mantissa = std::nearbyint(std::ldexp(factor, --shift));
  converter.scale = static_cast<int16_t>(std::clamp(mantissa, -32767.0, 32767.0));
  converter.shift = static_cast<uint8_t>(shift);
  while (converter.shift > 0 && converter.scale % 2 == 0) {  // 16384 >> 14 reads better as 1 >> 0
    converter.scale = static_cast<int16_t>(converter.scale / 2);
    --converter.shift;
  }
  return converter;
}

/// Whether some converter is within 2^-15 of @p factor.
inline bool is_representable(double factor) {
  return factor == 0 || (std::fabs(factor) <= 32767 && std::fabs(factor) >= 0x1p-49);
}

}  // namespace dlaexec::dla
