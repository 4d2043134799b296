// How often the magnitudes of a tensor's elements occurred.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace dlaexec::quant {

/// Counts of |x| in bins of equal width from 0 on. The width doubles, pairs of bins merging, when a
/// larger magnitude comes, so that samples may arrive in any number of portions.
class Histogram {
 public:
  static constexpr size_t kBins = 2048;

  /// Counts elements; NaN and infinity are counted apart.
  void add(std::span<const float> elements);
  /// Adds another histogram; the wider bins of the two remain.
  void add(const Histogram& other);

  std::span<const uint64_t> counts() const { return counts_; }
  double bin_width() const { return bin_width_; }  ///< 0 until a magnitude other than 0 came
  float max() const { return max_; }               ///< the largest magnitude
  uint64_t not_finite() const { return not_finite_; }

 private:
  void cover(float magnitude);
  void merge_pairs();

  std::array<uint64_t, kBins> counts_{};
  double bin_width_ = 0;
  float max_ = 0;
  uint64_t not_finite_ = 0;
};

}  // namespace dlaexec::quant
