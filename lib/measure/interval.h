// How sure a figure is: confidence intervals of a median and of the shift between two series.
#pragma once

#include <optional>
#include <span>

namespace dlaexec::measure {

/// An estimate and the range that holds the truth with the confidence asked for.
struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
};

/// Two-sided confidence as the quantile of the normal distribution that it stands for.
inline constexpr double kNinetyFivePercent = 1.959964;
inline constexpr double kNinetyNinePercent = 2.575829;

/// The median and its interval by order statistics, which asks nothing of the distribution.
Interval median_interval(std::span<const float> samples, double quantile = kNinetyFivePercent);

/// The quantile @p part (0 to 1) of the distribution, and its interval by order statistics. A tail
/// that the samples do not reach is bounded by the outermost of them.
Interval quantile_interval(std::span<const float> samples, double part,
                           double quantile = kNinetyFivePercent);

/// Half the width of the median's interval over the median; nothing with fewer than 6 samples,
/// which cannot bound a median at 95 %.
std::optional<double> relative_half_width(std::span<const float> samples);

/// By how much @p after lies above @p before: the median of all differences between a sample of
/// one and a sample of the other (Hodges and Lehmann), with the interval that inverts the
/// Mann-Whitney test. Correlation between neighbouring samples widens the interval. Both series
/// need one sample or more.
Interval shift(std::span<const float> before, std::span<const float> after,
               double quantile = kNinetyNinePercent);

/// By how much, relative to @p before, @p after lies above it when sample i of both was taken side
/// by side: the median of all means of two of their relative differences (Hodges and Lehmann for
/// pairs), with the interval that inverts Wilcoxon's signed-rank test. Both have as many samples.
Interval paired_shift(std::span<const float> before, std::span<const float> after,
                      double quantile = kNinetyNinePercent);

/// Correlation of each sample with the next one, by ranks; 0 for fewer than 8 samples.
double neighbour_correlation(std::span<const float> samples);

}  // namespace dlaexec::measure
