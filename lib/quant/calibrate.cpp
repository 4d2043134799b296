#include "quant/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace dlaexec::quant {
namespace {

constexpr size_t kLevels = 128;  // magnitudes of symmetric INT8
// What an empty last bin, where outliers fall, is taken to hold of the quantized distribution: as
// published smoothings do, so that a gap before an outlier does not forbid to cut there.
constexpr double kEmptyShare = 1e-4;

/// Kullback-Leibler divergence of the counts, cut off after @p kept bins, from what 128 levels
/// leave of them. Both are normalized; what was cut off counts as the last bin of the reference.
class Divergence {
 public:
  explicit Divergence(std::span<const uint64_t> counts) : bins_(counts.begin(), counts.end()) {
    bins_[0] = bins_[1];  // zeros are exact at any scale and must not drown the rest
    total_ = std::accumulate(bins_.begin(), bins_.end(), 0.0);
  }

  double at(size_t kept) const {
    std::vector<double> sum(kLevels, 0), used(kLevels, 0);
    double inside = 0;
    for (size_t bin = 0; bin < kept; ++bin) {
      if (bins_[bin] == 0) continue;
      sum[level_of(bin, kept)] += bins_[bin];
      used[level_of(bin, kept)] += 1;
      inside += bins_[bin];
    }
    const double outside = total_ - inside;
    const auto mean_of = [&](size_t bin) {
      return sum[level_of(bin, kept)] / used[level_of(bin, kept)];
    };
    double divergence = 0;
    for (size_t bin = 0; bin < kept; ++bin) {
      const double reference = (bins_[bin] + (bin + 1 == kept ? outside : 0)) / total_;
      if (reference <= 0) continue;
      const double spread = bins_[bin] == 0 ? kEmptyShare : mean_of(bin) / inside;
      divergence += reference * std::log(reference / spread);
    }
    return divergence;
  }

 private:
  static size_t level_of(size_t bin, size_t kept) { return bin * kLevels / kept; }

  std::vector<double> bins_;
  double total_ = 0;
};

float percentile_range(const Histogram& histogram, double percentile) {
  const std::span<const uint64_t> counts = histogram.counts();
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  const double wanted = static_cast<double>(total) * percentile / 100;
  uint64_t covered = 0;
  for (size_t bin = 0; bin < counts.size(); ++bin) {
    covered += counts[bin];
    if (static_cast<double>(covered) >= wanted)
      return std::min(static_cast<float>(static_cast<double>(bin + 1) * histogram.bin_width()),
                      histogram.max());
  }
  return histogram.max();
}

/// Squared error of all elements, each taken as the middle of its bin, at scale @p range / 127.
double squared_error(const Histogram& histogram, double range) {
  const double scale = range / 127;
  double error = 0;
  for (size_t bin = 0; bin < Histogram::kBins; ++bin) {
    const double magnitude = (static_cast<double>(bin) + 0.5) * histogram.bin_width();
    const double quantized = std::min(std::nearbyint(magnitude / scale), 127.0) * scale;
    const double off = magnitude - quantized;
    error += static_cast<double>(histogram.counts()[bin]) * off * off;
  }
  return error;
}

double squared_error(const Histogram& histogram, size_t kept) {
  return squared_error(histogram, static_cast<double>(kept) * histogram.bin_width());
}

/// The number of bins with the least squared error; of equal ones the most, which clips least.
size_t mse_threshold(const Histogram& histogram) {
  size_t best = Histogram::kBins;
  double least = std::numeric_limits<double>::infinity();
  for (size_t kept = kLevels; kept <= Histogram::kBins; ++kept) {
    const double error = squared_error(histogram, kept);
    if (error > least) continue;
    least = error;
    best = kept;
  }
  return best;
}

float range_of(const Histogram& histogram, size_t kept) {
  return std::min(static_cast<float>(static_cast<double>(kept) * histogram.bin_width()),
                  histogram.max());
}

/// Divergence alone may cut nearly everything off: where many elements share one value (the
/// background of drawings), where a tensor is a mixture, or where there are few elements. So the
/// range grows until its squared error is no more than half again the least.
float entropy_range(const Histogram& histogram) {
  constexpr double kMostError = 1.5;
  const size_t closest = mse_threshold(histogram);
  const double most = kMostError * squared_error(histogram, closest);
  size_t kept = entropy_threshold(histogram.counts());
  while (kept < closest && squared_error(histogram, kept) > most) ++kept;
  return range_of(histogram, kept);
}

}  // namespace

size_t entropy_threshold(std::span<const uint64_t> counts) {
  const Divergence divergence(counts);
  size_t best = counts.size();
  double least = std::numeric_limits<double>::infinity();
  for (size_t kept = kLevels; kept <= counts.size(); ++kept) {
    const double here = divergence.at(kept);
    if (here > least) continue;  // of equal ones the last, which clips least
    least = here;
    best = kept;
  }
  return best;
}

float calibrated_range(const Histogram& histogram, const CalibrationSettings& settings) {
  if (histogram.bin_width() == 0) return 0;
  switch (settings.algorithm) {
    case CalibrationAlgorithm::Entropy2:
      return entropy_range(histogram);
    case CalibrationAlgorithm::MinMax:
      return histogram.max();
    case CalibrationAlgorithm::Percentile:
      return percentile_range(histogram, settings.percentile);
    case CalibrationAlgorithm::Mse:
      return range_of(histogram, mse_threshold(histogram));
  }
  __builtin_unreachable();
}

std::string_view cache_algorithm(CalibrationAlgorithm algorithm) {
  // TensorRT's DLA takes entropy caches alone, so percentile and squared error travel under it.
  return algorithm == CalibrationAlgorithm::MinMax ? "MinMaxCalibration" : "EntropyCalibration2";
}

}  // namespace dlaexec::quant
