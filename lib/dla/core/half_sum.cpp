#include "dla/core/half_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace dlaexec::dla::core {
namespace {

constexpr int kStep = 4;            ///< bits of an exponent step
constexpr int kFarthestShift = 32;  ///< products that lie so far below are dropped
constexpr int kFractionBits = 10, kBias = 15;

/// A factor as the multiplier takes it: value = mantissa * 2^(4 * exponent - 25).
struct Aligned {
  int64_t mantissa;  ///< with its sign, at most 14 bits
  int exponent;      ///< in steps of 4
};

Aligned align(Half half) {
  const int exponent = half.bits >> kFractionBits & 0x1f;
  const int64_t fraction = half.bits & 0x3ff;
  // A subnormal has the exponent of the least normal number and no leading 1.
  const int64_t mantissa =
      exponent == 0 ? fraction << 1 : (fraction | 0x400) << (exponent & (kStep - 1));
  return {half.bits & 0x8000 ? -mantissa : mantissa, exponent / kStep};
}

}  // namespace

double nvdla_cycle(std::span<const Half> x, std::span<const Half> w) {
  DLAEXEC_CHECK(x.size() == w.size() && x.size() <= size_t{kNvdlaLanes});
  std::array<Aligned, kNvdlaLanes> products;
  int largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const Aligned a = align(x[i]), b = align(w[i]);
    products[i] = {a.mantissa * b.mantissa, a.exponent + b.exponent};
    largest = std::max(largest, products[i].exponent);
  }
  int64_t sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int shift = kStep * (largest - products[i].exponent);
    if (shift < kFarthestShift) sum += products[i].mantissa >> shift;
  }
  return std::ldexp(static_cast<double>(sum), kStep * largest - 2 * (kFractionBits + kBias));
}

float nvdla_deliver(double sum) {
  const auto nearest = static_cast<float>(sum);
  const double below = std::fabs(sum) - std::fabs(static_cast<double>(nearest));
  if (below <= 0) return nearest;
  // Rounded towards zero: a tie goes the other way.
  const float next = std::nextafter(nearest, std::copysign(INFINITY, nearest));
  const double gap = std::fabs(static_cast<double>(next)) - std::fabs(static_cast<double>(nearest));
  return 2 * below >= gap ? std::copysign(std::fabs(next), static_cast<float>(sum)) : nearest;
}

}  // namespace dlaexec::dla::core
