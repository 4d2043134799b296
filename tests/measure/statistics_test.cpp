#include "measure/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace dlaexec::measure {
namespace {

std::vector<float> ascending(size_t count) {
  std::vector<float> samples(count);
  std::iota(samples.begin(), samples.end(), 0.f);
  return samples;
}

// The truncation happens in 32-bit floats: P99 of 100 is the maximum, P99 of 1000 is 990.
TEST(Statistics, PercentilesTruncateInFloats) {
  const struct {
    float rank;
    size_t count, index;
  } kCases[] = {{90, 10, 8},       {90, 100, 89},     {90, 1000, 899},  {95, 20, 18}, {95, 100, 94},
                {99, 100, 99},     {99, 1000, 990},   {99, 1590, 1574}, {50, 10, 4},  {0, 10, 0},
                {0, 1, 0},         {50, 1, 0},        {100, 1, 0},      {100, 10, 9}, {0, 1590, 0},
                {100, 1590, 1589}, {99.9f, 1000, 999}};
  for (const auto& c : kCases)
    EXPECT_EQ(percentile_index(c.count, c.rank), c.index) << "P" << c.rank << " of " << c.count;
}

TEST(Statistics, DescribesASeriesInAnyOrder) {
  const Statistics s = summarize(std::vector<float>{4, 1, 3, 2}, std::vector<float>{90, 0, 100});
  EXPECT_EQ(s.count, 4u);
  EXPECT_EQ(s.min, 1);
  EXPECT_EQ(s.max, 4);
  EXPECT_EQ(s.mean, 2.5f);
  EXPECT_EQ(s.median, 2.5f);
  EXPECT_NEAR(s.coefficient_of_variance, 100 * std::sqrt(1.25) / 2.5, 1e-4);
  ASSERT_EQ(s.percentiles.size(), 3u);
  EXPECT_EQ(s.percentiles[0].value, 4);
  EXPECT_EQ(s.percentiles[1].value, 1);
  EXPECT_EQ(s.percentiles[2].rank, 100);
}

TEST(Statistics, OneSampleIsEveryFigure) {
  const Statistics s = summarize(std::vector<float>{7}, std::vector<float>{99});
  EXPECT_EQ(s.min, 7);
  EXPECT_EQ(s.median, 7);
  EXPECT_EQ(s.percentiles[0].value, 7);
  EXPECT_EQ(s.coefficient_of_variance, 0);
}

TEST(Statistics, AllZeroSamplesHaveNoVariance) {
  const Statistics s = summarize(std::vector<float>{0, 0}, {});
  EXPECT_EQ(s.coefficient_of_variance, 0);
}

TEST(Statistics, MedianAgreesWithTheSortedMedian) {
  for (const size_t count : {1u, 2u, 9u, 10u}) {
    const std::vector<float> samples = ascending(count);
    const std::vector<float> reversed(samples.rbegin(), samples.rend());
    EXPECT_EQ(median(reversed), median_of_sorted(samples)) << count;
  }
}

TEST(Statistics, GroupMeansDropTheIncompleteTail) {
  EXPECT_EQ(group_means(ascending(7), 3), (std::vector<float>{1, 4}));
  EXPECT_TRUE(group_means(ascending(2), 3).empty());
}

}  // namespace
}  // namespace dlaexec::measure
