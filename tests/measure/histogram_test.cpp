#include "measure/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace dlaexec::measure {
namespace {

std::vector<float> samples(unsigned seed, size_t count) {
  std::mt19937 random(seed);
  std::lognormal_distribution<float> distribution(0, 0.5f);
  std::vector<float> series(count);
  for (float& sample : series) sample = distribution(random);
  return series;
}

TEST(Histogram, OfTwoSeriesMergedIsThatOfBothTogether) {
  const std::vector<float> a = samples(1, 500), b = samples(2, 900);
  std::vector<float> both = a;
  both.insert(both.end(), b.begin(), b.end());
  Histogram merged(a);
  merged.merge(Histogram(b));
  EXPECT_EQ(merged, Histogram(both));
  EXPECT_EQ(merged.count(), 1400u);
}

TEST(Histogram, PercentilesAreRightToTheWidthOfABucket) {
  std::vector<float> series = samples(3, 10000);
  const Histogram histogram(series);
  std::sort(series.begin(), series.end());
  for (const double rank : {0.1, 50.0, 90.0, 99.0, 99.9}) {
    const auto at = static_cast<size_t>(rank / 100 * 10000) - (rank > 0.05 ? 1 : 0);
    EXPECT_NEAR(histogram.percentile(rank) / series[at], 1, 0.016) << rank;
  }
}

TEST(Histogram, BucketsHoldTheirSamplesAndAdjoin) {
  Histogram histogram;
  histogram.add(1);
  histogram.add(1.0149f);
  histogram.add(1.01563f);
  const auto buckets = histogram.buckets();
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_EQ(buckets[0].low, 1);
  EXPECT_EQ(buckets[0].high, 1.015625f);
  EXPECT_EQ(buckets[0].count, 2u);
  EXPECT_EQ(buckets[1].low, buckets[0].high);
}

TEST(Histogram, CountsZerosAndNothingElseWhenEmpty) {
  EXPECT_EQ(Histogram().percentile(50), 0);
  Histogram histogram;
  histogram.add(0, 3);
  histogram.add(-1);
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_LT(histogram.percentile(50), 1e-37f);
}

}  // namespace
}  // namespace dlaexec::measure
