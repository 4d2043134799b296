// A series of samples as figures, by trtexec's arithmetic.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace dlaexec::measure {

/// One percentile of a series: @p rank 0 is the best sample, 100 the worst.
struct Percentile {
  float rank = 0;
  float value = 0;
};

/// What a series of at least one sample comes to, in the samples' unit.
struct Statistics {
  size_t count = 0;
  float min = 0, max = 0, mean = 0, median = 0;
  std::vector<Percentile> percentiles;  ///< in the order in which they were asked for
  /// Population standard deviation over mean, in percent; 0 when the mean is 0.
  float coefficient_of_variance = 0;
};

/// The figures of @p samples, of which there must be one or more, with a percentile per rank.
Statistics summarize(std::span<const float> samples, std::span<const float> ranks);

/// Which of @p count ascending samples is the percentile @p rank. The truncation happens in 32-bit
/// floats, as in trtexec, so that P99 of 100 samples is the last one and not the one before.
size_t percentile_index(size_t count, float rank);

/// The middle of ascending samples, or the mean of the two in the middle.
float median_of_sorted(std::span<const float> sorted);

/// The middle of @p samples in any order, of which there must be one or more.
float median(std::span<const float> samples);

/// Means of consecutive groups of @p size samples; an incomplete last group is dropped.
std::vector<float> group_means(std::span<const float> samples, size_t size);

}  // namespace dlaexec::measure
