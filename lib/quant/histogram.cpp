#include "quant/histogram.h"

#include <algorithm>
#include <cmath>

namespace dlaexec::quant {

void Histogram::add(std::span<const float> elements) {
  float largest = 0;
  for (const float x : elements) {
    const float magnitude = std::fabs(x);
    if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
  }
  cover(largest);
  const double per_width = bin_width_ > 0 ? 1 / bin_width_ : 0;
  for (const float x : elements) {
    const float magnitude = std::fabs(x);
    if (!std::isfinite(magnitude)) {
      ++not_finite_;
      continue;
    }
    const auto bin = static_cast<size_t>(magnitude * per_width);
    ++counts_[std::min(bin, kBins - 1)];
  }
}

void Histogram::add(const Histogram& other) {
  if (other.bin_width_ > bin_width_) {  // take the wider bins, then count in the own ones
    Histogram wider = other;
    wider.add(*this);
    *this = wider;
    return;
  }
  for (size_t bin = 0; bin < kBins; ++bin) {
    const double middle = (static_cast<double>(bin) + 0.5) * other.bin_width_;
    const size_t here = bin_width_ > 0 ? static_cast<size_t>(middle / bin_width_) : 0;
    counts_[std::min(here, kBins - 1)] += other.counts_[bin];
  }
  max_ = std::max(max_, other.max_);
  not_finite_ += other.not_finite_;
}

/// Widens the bins until @p magnitude lies in one of them.
void Histogram::cover(float magnitude) {
  max_ = std::max(max_, magnitude);
  if (magnitude == 0) return;
  if (bin_width_ == 0) {
    // All magnitudes so far were 0: they stay in the first bin whatever the width.
    bin_width_ = static_cast<double>(magnitude) / kBins;
    return;
  }
  while (magnitude > bin_width_ * kBins) merge_pairs();
}

void Histogram::merge_pairs() {
  for (size_t bin = 0; bin < kBins / 2; ++bin)
    counts_[bin] = counts_[2 * bin] + counts_[2 * bin + 1];
  std::fill(counts_.begin() + kBins / 2, counts_.end(), 0);
  bin_width_ *= 2;
}

}  // namespace dlaexec::quant
