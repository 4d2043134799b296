// The SDP's and CDP's function tables.
#pragma once

#include <algorithm>
#include <cmath>

#include "dla/loadable.h"

namespace dlaexec::dla::core {

inline constexpr int kLutFirstEntries = 65;
inline constexpr int kLutLinearEntries = 257;

/// Entries of a table around x and how far x is from the lower one, in [0, 1].
struct LutHit {
  int entry = 0;
  float fraction = 0;
};

/// @p x on an equally spaced table over [start, end] with @p count entries.
inline LutHit linear_hit(float x, float start, float end, int count) {
  const float position = (x - start) * (static_cast<float>(count - 1) / (end - start));
  const int entry = std::clamp(static_cast<int>(position), 0, count - 2);
  return {entry, position - static_cast<float>(entry)};
}

/// @p x on a table whose entry i lies at start + 2^(i + exponent).
inline LutHit exponential_hit(float x, const Lut& lut) {
  int exponent = 0;
  const float mantissa = std::frexp(x - lut.first_start, &exponent);  // in [0.5, 1)
  const int entry = exponent - 1 - lut.first_exponent;
  if (entry < 0) return {0, 0};
  if (entry > kLutFirstEntries - 2) return {kLutFirstEntries - 2, 1};
  return {entry, 2 * mantissa - 1};
}

/// The table's value at @p x, FP32 arithmetic on FP16 entries. NaN gives NaN.
inline float look_up(const Lut& lut, const Half* entries, float x) {
  if (std::isnan(x)) return x;
  const float low = std::min(lut.first_start, lut.linear_start);
  const float high = std::max(lut.first_end, lut.linear_end);
  const float inside = std::clamp(x, low, high);
  const bool is_linear = inside >= lut.linear_start && inside <= lut.linear_end;
  const Half* const table = is_linear ? entries + kLutFirstEntries : entries;
  const LutHit hit = is_linear
                         ? linear_hit(inside, lut.linear_start, lut.linear_end, kLutLinearEntries)
                     : lut.index == LutIndex::Linear
                         ? linear_hit(inside, lut.first_start, lut.first_end, kLutFirstEntries)
                         : exponential_hit(inside, lut);
  const float below = static_cast<float>(table[hit.entry]);
  const float above = static_cast<float>(table[hit.entry + 1]);
  const float step = above - below;
  const float risen = step * hit.fraction;
  float value = below + risen;
  if (x < low) value += (x - low) * lut.slope_below;
  if (x > high) value += (x - high) * lut.slope_above;
  return value;
}

}  // namespace dlaexec::dla::core
