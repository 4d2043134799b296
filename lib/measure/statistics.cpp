#include "measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace dlaexec::measure {
namespace {

/// Summed in float and in ascending order: the figure that trtexec prints, rounding included.
float mean_of_sorted(std::span<const float> sorted) {
  return std::accumulate(sorted.begin(), sorted.end(), 0.f) / static_cast<float>(sorted.size());
}

float coefficient_of_variance(std::span<const float> samples, float mean) {
  if (mean == 0) return 0;
  double squares = 0;
  for (const float sample : samples) squares += (sample - double{mean}) * (sample - double{mean});
  const double deviation = std::sqrt(squares / static_cast<double>(samples.size()));
  return static_cast<float>(deviation / mean * 100);
}

}  // namespace

size_t percentile_index(size_t count, float rank) {
  DLAEXEC_CHECK(count > 0);
  const float excluded = (1 - rank / 100) * static_cast<float>(count);
  const auto last = static_cast<int64_t>(count) - 1;
  return static_cast<size_t>(std::clamp<int64_t>(last - static_cast<int64_t>(excluded), 0, last));
}

float median_of_sorted(std::span<const float> sorted) {
  DLAEXEC_CHECK(!sorted.empty());
  const size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return (sorted[middle - 1] + sorted[middle]) / 2;
}

float median(std::span<const float> samples) {
  DLAEXEC_CHECK(!samples.empty());
  std::vector<float> copy(samples.begin(), samples.end());
  const auto middle = copy.begin() + static_cast<std::ptrdiff_t>(copy.size() / 2);
  std::nth_element(copy.begin(), middle, copy.end());
  if (copy.size() % 2 == 1) return *middle;
  return (*std::max_element(copy.begin(), middle) + *middle) / 2;
}

Statistics summarize(std::span<const float> samples, std::span<const float> ranks) {
  DLAEXEC_CHECK(!samples.empty());
  std::vector<float> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  Statistics statistics;
  statistics.count = sorted.size();
  statistics.min = sorted.front();
  statistics.max = sorted.back();
  statistics.mean = mean_of_sorted(sorted);
  statistics.median = median_of_sorted(sorted);
  for (const float rank : ranks)
    statistics.percentiles.push_back({rank, sorted[percentile_index(sorted.size(), rank)]});
  statistics.coefficient_of_variance = coefficient_of_variance(sorted, statistics.mean);
  return statistics;
}

std::vector<float> group_means(std::span<const float> samples, size_t size) {
  DLAEXEC_CHECK(size > 0);
  std::vector<float> means;
  for (size_t first = 0; first + size <= samples.size(); first += size) {
    const auto group = samples.subspan(first, size);
    means.push_back(std::accumulate(group.begin(), group.end(), 0.f) / static_cast<float>(size));
  }
  return means;
}

}  // namespace dlaexec::measure
