#include "measure/interval.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "measure/statistics.h"

namespace dlaexec::measure {
namespace {

/// All pairs of longer series would not fit: evenly spaced samples of them stand for the rest.
constexpr size_t kMostSamples = 1000;

std::vector<float> thinned(std::span<const float> samples) {
  if (samples.size() <= kMostSamples) return {samples.begin(), samples.end()};
  std::vector<float> kept(kMostSamples);
  for (size_t i = 0; i < kMostSamples; ++i) kept[i] = samples[i * samples.size() / kMostSamples];
  return kept;
}

/// Each sample's place among the others; equal ones in order, which suits a correlation.
std::vector<double> ranks_of(std::span<const float> samples) {
  std::vector<size_t> order(samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return samples[a] < samples[b]; });
  std::vector<double> ranks(samples.size());
  for (size_t place = 0; place < order.size(); ++place)
    ranks[order[place]] = static_cast<double>(place);
  return ranks;
}

/// How many times wider an interval gets because neighbours repeat each other.
double correlation_factor(std::span<const float> before, std::span<const float> after) {
  const double correlation =
      std::clamp(std::max(neighbour_correlation(before), neighbour_correlation(after)), 0.0, 0.95);
  return std::sqrt((1 + correlation) / (1 - correlation));
}

}  // namespace

Interval median_interval(std::span<const float> samples, double quantile) {
  Interval interval = quantile_interval(samples, 0.5, quantile);
  interval.estimate = median(samples);
  return interval;
}

Interval quantile_interval(std::span<const float> samples, double part, double quantile) {
  DLAEXEC_CHECK(!samples.empty());
  std::vector<float> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  const double reach = quantile * std::sqrt(count * part * (1 - part));
  const auto at = [&](double place) {
    return double{sorted[static_cast<size_t>(std::clamp(place, 0.0, count - 1))]};
  };
  return {at(std::ceil(count * part) - 1), at(std::floor(count * part - reach)),
          at(std::ceil(count * part + reach))};
}

std::optional<double> relative_half_width(std::span<const float> samples) {
  if (samples.size() < 6) return std::nullopt;
  const Interval interval = median_interval(samples);
  if (interval.estimate == 0) return std::nullopt;
  return (interval.high - interval.low) / 2 / interval.estimate;
}

Interval shift(std::span<const float> before, std::span<const float> after, double quantile) {
  DLAEXEC_CHECK(!before.empty() && !after.empty());
  const std::vector<float> a = thinned(before), b = thinned(after);
  std::vector<float> differences;
  differences.reserve(a.size() * b.size());
  for (const float x : a)
    for (const float y : b) differences.push_back(y - x);

  const auto m = static_cast<double>(a.size()), n = static_cast<double>(b.size());
  const double deviation = std::sqrt(m * n * (m + n + 1) / 12);
  const double reach = quantile * deviation * correlation_factor(before, after);
  const auto at = [&](double place) {
    const auto index = static_cast<std::ptrdiff_t>(std::clamp(place, 0.0, m * n - 1));
    std::nth_element(differences.begin(), differences.begin() + index, differences.end());
    return double{differences[static_cast<size_t>(index)]};
  };
  const double low = at(std::floor(m * n / 2 - reach)), high = at(std::ceil(m * n / 2 + reach));
  return {median(differences), low, high};
}

Interval paired_shift(std::span<const float> before, std::span<const float> after,
                      double quantile) {
  DLAEXEC_CHECK(before.size() == after.size() && !before.empty());
  std::vector<float> changes;
  for (size_t i = 0; i < before.size(); ++i) changes.push_back(after[i] / before[i] - 1);
  changes = thinned(changes);
  std::vector<float> averages;
  for (size_t i = 0; i < changes.size(); ++i)
    for (size_t j = i; j < changes.size(); ++j) averages.push_back((changes[i] + changes[j]) / 2);
  const auto n = static_cast<double>(changes.size());
  const double middle = n * (n + 1) / 4, deviation = std::sqrt(n * (n + 1) * (2 * n + 1) / 24);
  const auto at = [&](double place) {
    const double last = static_cast<double>(averages.size()) - 1;
    const auto index = static_cast<std::ptrdiff_t>(std::clamp(place, 0.0, last));
    std::nth_element(averages.begin(), averages.begin() + index, averages.end());
    return double{averages[static_cast<size_t>(index)]};
  };
  const double low = at(std::floor(middle - quantile * deviation));
  const double high = at(std::ceil(middle + quantile * deviation));
  return {median(averages), low, high};
}

double neighbour_correlation(std::span<const float> samples) {
  if (samples.size() < 8) return 0;
  const std::vector<double> ranks = ranks_of(samples);
  const double mean = static_cast<double>(ranks.size() - 1) / 2;
  double product = 0, square = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    square += (ranks[i] - mean) * (ranks[i] - mean);
    if (i > 0) product += (ranks[i] - mean) * (ranks[i - 1] - mean);
  }
  return product / square;
}

}  // namespace dlaexec::measure
