#include "quant/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace dlaexec::quant {
namespace {

/// The published algorithm once more, from its description and another way: distributions are built
/// in full and levels are found by their borders.
size_t threshold_by_the_book(std::vector<double> bins) {
  bins[0] = bins[1];
  const size_t count = bins.size();
  std::vector<double> divergences;
  for (size_t i = 128; i <= count; ++i) {
    std::vector<double> p(bins.begin(), bins.begin() + static_cast<long>(i));
    std::vector<double> q(i, 0);
    for (int level = 0; level < 128; ++level) {
      const double low = static_cast<double>(i) * level / 128;
      const double high = static_cast<double>(i) * (level + 1) / 128;
      double sum = 0;
      int used = 0;
      for (size_t bin = 0; bin < i; ++bin) {
        const auto at = static_cast<double>(bin);
        if (at < low || at >= high || p[bin] == 0) continue;
        sum += p[bin];
        ++used;
      }
      for (size_t bin = 0; bin < i; ++bin) {
        const auto at = static_cast<double>(bin);
        if (at >= low && at < high && p[bin] > 0) q[bin] = sum / used;
      }
    }
    p[i - 1] += std::accumulate(bins.begin() + static_cast<long>(i), bins.end(), 0.0);
    const double p_sum = std::accumulate(p.begin(), p.end(), 0.0);
    const double q_sum = std::accumulate(q.begin(), q.end(), 0.0);
    double divergence = 0;
    for (size_t bin = 0; bin < i; ++bin) {
      const double share = q[bin] > 0 ? q[bin] / q_sum : 1e-4;  // outliers in an empty last bin
      if (p[bin] > 0) divergence += p[bin] / p_sum * std::log((p[bin] / p_sum) / share);
    }
    divergences.push_back(divergence);
  }
  size_t best = 0;
  for (size_t i = 0; i < divergences.size(); ++i)
    if (divergences[i] <= divergences[best]) best = i;
  return 128 + best;
}

Histogram normal_samples(int count, unsigned seed, float sigma = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, sigma);
  std::vector<float> samples(static_cast<size_t>(count));
  for (float& x : samples) x = normal(random);
  Histogram histogram;
  histogram.add(samples);
  return histogram;
}

TEST(EntropyCalibration, FindsTheSameBinAsTheBookOnRandomHistograms) {
  std::mt19937 random(3);
  for (int round = 0; round < 6; ++round) {
    std::vector<uint64_t> counts(512);
    std::exponential_distribution<double> fall(1.0 / (40 + 60 * round));
    for (int i = 0; i < 200000; ++i)
      ++counts[std::min<size_t>(511, static_cast<size_t>(fall(random)))];
    if (round % 2) std::fill(counts.begin() + 300, counts.begin() + 420, 0);  // a gap of empty bins
    const std::vector<double> bins(counts.begin(), counts.end());
    EXPECT_EQ(entropy_threshold(counts), threshold_by_the_book(bins)) << round;
  }
}

TEST(EntropyCalibration, CutsAFarOutlierOff) {
  Histogram histogram = normal_samples(200000, 5);
  histogram.add(std::vector<float>{80.0f});
  const float range = calibrated_range(histogram, {});
  EXPECT_LT(range, 12);
  EXPECT_GT(range, 2);
}

TEST(EntropyCalibration, KeepsAnEvenDistributionWhole) {
  std::vector<uint64_t> counts(Histogram::kBins, 1000);
  EXPECT_EQ(entropy_threshold(counts), Histogram::kBins);
}

TEST(EntropyCalibration, DoesNotCutAtAValueThatMostElementsShare) {
  // A drawing on a background of -0.42: divergence alone would cut at 0.42 and lose the drawing.
  Histogram histogram;
  std::vector<float> elements(80000, -0.42f);
  std::mt19937 random(13);
  std::uniform_real_distribution<float> ink(0, 2.8f);
  for (int i = 0; i < 20000; ++i) elements.push_back(ink(random));
  histogram.add(elements);
  EXPECT_LT(entropy_threshold(histogram.counts()), Histogram::kBins / 4);
  EXPECT_GT(calibrated_range(histogram, {}), 2.5f);
}

TEST(MinMaxCalibration, IsTheLargestMagnitude) {
  Histogram histogram;
  histogram.add(std::vector<float>{1, -7.5f, 3});
  EXPECT_EQ(calibrated_range(histogram, {CalibrationAlgorithm::MinMax}), 7.5f);
}

TEST(PercentileCalibration, CoversTheShareAskedFor) {
  const Histogram histogram = normal_samples(400000, 7);
  EXPECT_NEAR(calibrated_range(histogram, {CalibrationAlgorithm::Percentile, 95.45}), 2.0, 0.03);
  EXPECT_EQ(calibrated_range(histogram, {CalibrationAlgorithm::Percentile, 100}), histogram.max());
}

TEST(MseCalibration, ClipsANormalDistributionWhereItIsKnownTo) {
  // The best clipping of a normal distribution at 8 bits lies close to 3.9 sigma.
  const Histogram histogram = normal_samples(2000000, 9, 2.0f);
  EXPECT_NEAR(calibrated_range(histogram, {CalibrationAlgorithm::Mse}) / 2.0f, 3.9, 0.25);
}

TEST(Calibration, OfZerosAloneGivesNoRange) {
  Histogram histogram;
  histogram.add(std::vector<float>(100, 0.0f));
  for (const auto algorithm : {CalibrationAlgorithm::Entropy2, CalibrationAlgorithm::MinMax,
                               CalibrationAlgorithm::Percentile, CalibrationAlgorithm::Mse})
    EXPECT_EQ(calibrated_range(histogram, {algorithm}), 0);
}

TEST(Histogram, KeepsEveryCountWhenItWidens) {
  Histogram histogram;
  for (const float scale : {0.0f, 1.0f, 0.5f, 40.0f, 3.0f})
    histogram.add(std::vector<float>{scale, -scale / 2, scale / 4});
  const auto counts = histogram.counts();
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), uint64_t{0}), 15u);
  EXPECT_EQ(histogram.max(), 40.0f);
  EXPECT_GE(histogram.bin_width() * Histogram::kBins, 40.0);
  EXPECT_EQ(counts[static_cast<size_t>(20.0 / histogram.bin_width())], 1u);
}

TEST(Histogram, CountsNanAndInfinityApart) {
  Histogram histogram;
  histogram.add(std::vector<float>{1, NAN, INFINITY, -INFINITY});
  EXPECT_EQ(histogram.not_finite(), 3u);
  EXPECT_EQ(histogram.max(), 1.0f);
}

TEST(Histogram, OfPartsIsCloseToThatOfTheWhole) {
  const Histogram narrow = normal_samples(50000, 11, 0.1f), wide = normal_samples(50000, 12, 3.0f);
  for (Histogram sum : {narrow, wide}) {
    sum.add(sum.max() == narrow.max() ? wide : narrow);
    EXPECT_EQ(sum.max(), wide.max());
    EXPECT_EQ(sum.bin_width(), wide.bin_width());
    const auto counts = sum.counts();
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), uint64_t{0}), 100000u);
  }
}

}  // namespace
}  // namespace dlaexec::quant
