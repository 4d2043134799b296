#include "measure/compare.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "measure/diagnosis.h"

namespace dlaexec::measure {
namespace {

using Random = std::mt19937;
using Series = std::vector<float>;

/// 200 samples around @p middle with a coefficient of variation of 2 %.
Series noise(Random& random, double middle = 1) {
  std::normal_distribution<double> distribution(middle, 0.02 * middle);
  Series series(200);
  for (float& sample : series) sample = static_cast<float>(distribution(random));
  return series;
}

/// Times the samples from @p at on by @p factor.
Series with_step(Series series, size_t at, float factor) {
  for (size_t i = at; i < series.size(); ++i) series[i] *= factor;
  return series;
}

Series with_drift(Series series, float relative) {
  for (size_t i = 0; i < series.size(); ++i)
    series[i] *= 1 + relative * static_cast<float>(i) / static_cast<float>(series.size() - 1);
  return series;
}

/// Each sample is slower by @p factor with probability @p share.
Series with_modes(Random& random, Series series, double share, float factor) {
  std::bernoulli_distribution slow(share);
  for (float& sample : series)
    if (slow(random)) sample *= factor;
  return series;
}

/// How many of @p pairs comparisons at a 5 % limit give each verdict.
struct Rates {
  int faster = 0, same = 0, slower = 0, inconclusive = 0;
};
Rates rates(int pairs, const std::function<std::pair<Series, Series>(Random&)>& make) {
  Random random(20);
  Rates rates;
  for (int i = 0; i < pairs; ++i) {
    const auto [before, after] = make(random);
    switch (compare(before, after, 0.05).verdict) {
      case Verdict::Faster:
        ++rates.faster;
        break;
      case Verdict::Same:
        ++rates.same;
        break;
      case Verdict::Slower:
        ++rates.slower;
        break;
      case Verdict::Inconclusive:
        ++rates.inconclusive;
        break;
    }
  }
  return rates;
}

constexpr int kPairs = 200;

TEST(Compare, SaysSameWhenNothingChanged) {
  const Rates r = rates(kPairs, [](Random& g) { return std::pair(noise(g), noise(g)); });
  EXPECT_GE(r.same, kPairs * 0.9);
  EXPECT_LE(r.slower, kPairs * 0.01);
  EXPECT_LE(r.faster, kPairs * 0.01);
}

TEST(Compare, SaysSlowerAtTenPercent) {
  const Rates r = rates(kPairs, [](Random& g) { return std::pair(noise(g), noise(g, 1.1)); });
  EXPECT_GE(r.slower, kPairs * 0.95);
}

TEST(Compare, SaysFasterWhenTenPercentWereGained) {
  const Rates r = rates(kPairs, [](Random& g) { return std::pair(noise(g, 1.1), noise(g)); });
  EXPECT_GE(r.faster, kPairs * 0.95);
}

TEST(Compare, SaysSameAtOnePercent) {
  const Rates r = rates(kPairs, [](Random& g) { return std::pair(noise(g), noise(g, 1.01)); });
  EXPECT_GE(r.same, kPairs * 0.9);
}

TEST(Compare, SaysInconclusiveAtTheLimit) {
  const Rates r = rates(kPairs, [](Random& g) { return std::pair(noise(g), noise(g, 1.05)); });
  EXPECT_GE(r.inconclusive, kPairs * 0.9);
  EXPECT_LE(r.slower, kPairs * 0.02);
}

TEST(Compare, ThrottlingInEitherRunIsNotHeldAgainstTheLater) {
  std::uniform_int_distribution<size_t> place(0, 199);
  for (const float factor : {1.1f, 1.3f, 1.6f}) {
    const Rates r = rates(kPairs, [&](Random& g) {
      return std::pair(noise(g), with_step(noise(g), place(g), factor));
    });
    // A run that is slow from its first or third sample on cannot be told from a slower program.
    EXPECT_LE(r.slower, kPairs * 0.02) << factor;
    const Rates recovering = rates(kPairs, [&](Random& g) {
      return std::pair(with_step(noise(g, factor), place(g), 1 / factor),
                       with_step(noise(g, factor), place(g), 1 / factor));
    });
    EXPECT_LE(recovering.slower, kPairs * 0.02) << factor;
  }
}

TEST(Compare, DriftIsNotHeldAgainstTheLaterRun) {
  for (const float relative : {0.06f, 0.15f, 0.4f}) {
    const Rates r = rates(
        kPairs, [&](Random& g) { return std::pair(noise(g), with_drift(noise(g), relative)); });
    EXPECT_LE(r.slower, kPairs * 0.02) << relative;
  }
}

TEST(Compare, TwoModesAreNotHeldAgainstTheLaterRun) {
  for (const double share : {0.15, 0.5, 0.85})
    for (const float factor : {1.07f, 1.2f, 2.0f}) {
      const Rates r = rates(kPairs, [&](Random& g) {
        return std::pair(with_modes(g, noise(g), share, factor),
                         with_modes(g, noise(g), share, factor));
      });
      EXPECT_LE(r.slower, kPairs * 0.02) << share << " " << factor;
    }
}

TEST(Compare, ModesOfTheLaterRunAloneAreNotHeldAgainstIt) {
  for (const double share : {0.15, 0.5, 0.85})
    for (const float factor : {1.2f, 2.0f}) {
      const Rates r = rates(kPairs, [&](Random& g) {
        return std::pair(noise(g), with_modes(g, noise(g), share, factor));
      });
      EXPECT_LE(r.slower, kPairs * 0.02) << share << " " << factor;
    }
}

TEST(Compare, ABurstAtTheEndDecidesNothing) {
  const Rates r =
      rates(kPairs, [](Random& g) { return std::pair(noise(g), with_step(noise(g), 188, 4)); });
  EXPECT_GE(r.same, kPairs * 0.9);
}

TEST(Compare, OutliersDoNotDecide) {
  const Rates r = rates(
      kPairs, [](Random& g) { return std::pair(noise(g), with_modes(g, noise(g), 0.05, 8)); });
  EXPECT_GE(r.same, kPairs * 0.9);
}

TEST(Compare, CorrelatedNoiseWidensTheInterval) {
  Random random(4);
  Series wandering(200);
  std::normal_distribution<float> kick(0, 0.006f);
  float offset = 0;
  for (float& sample : wandering) sample = 1 + (offset = 0.9f * offset + kick(random));
  Series shuffled = wandering;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const Interval wide = shift(wandering, wandering), narrow = shift(shuffled, shuffled);
  EXPECT_GT(wide.high - wide.low, 2 * (narrow.high - narrow.low));
}

TEST(Compare, FewSamplesDecideNothingAndSayHowManyWould) {
  const Series few(7, 1);
  const Comparison c = compare(few, few, 0.05);
  EXPECT_EQ(c.verdict, Verdict::Inconclusive);
  EXPECT_NE(c.doubt.find("8 or more"), std::string::npos);
}

TEST(Compare, ExactFiguresNeedNoSamples) {
  EXPECT_EQ(compare_exact(100, 106, 0.05).verdict, Verdict::Slower);
  EXPECT_EQ(compare_exact(100, 104, 0.05).verdict, Verdict::Same);
  EXPECT_EQ(compare_exact(100, 94, 0.05).verdict, Verdict::Faster);
  EXPECT_EQ(compare_exact(0, 0, 0.05).verdict, Verdict::Same);
  EXPECT_EQ(compare_exact(0, 1, 0.05).verdict, Verdict::Slower);
}

TEST(Compare, ShiftIsTheHodgesLehmannEstimate) {
  const Interval s = shift(Series{1, 2, 4}, Series{3, 5, 9});
  EXPECT_EQ(s.estimate, 3);  // differences -1 1 1 2 3 4 5 7 8
}

TEST(Diagnosis, FindsNothingInCleanNoise) {
  Random random(1);
  int alarms = 0;
  for (int i = 0; i < 500; ++i) alarms += diagnose(noise(random)).unsteadiness() > 0;
  EXPECT_LE(alarms, 2);
}

TEST(Diagnosis, PlacesAStepAndTellsItsSize) {
  Random random(2);
  const Diagnosis d = diagnose(with_step(noise(random), 120, 1.2f));
  ASSERT_TRUE(d.step);
  EXPECT_EQ(d.step->at, 120u);
  EXPECT_NEAR(d.step->relative, 0.2, 0.02);
  EXPECT_NE(d.sentences().at(0).find("at query 120"), std::string::npos);
}

TEST(Diagnosis, TellsDriftAndModesWithTheirSizes) {
  Random random(3);
  const Diagnosis drifting = diagnose(with_drift(noise(random), 0.2f));
  ASSERT_TRUE(drifting.drift);
  EXPECT_NEAR(drifting.drift->relative, 0.18, 0.03);
  const Diagnosis modal = diagnose(with_modes(random, noise(random), 0.4, 1.5f));
  ASSERT_TRUE(modal.two_modes);
  EXPECT_NEAR(modal.two_modes->high_share, 0.4, 0.1);
  EXPECT_NEAR(modal.two_modes->high / modal.two_modes->low, 1.5, 0.02);
}

TEST(Diagnosis, CountsOutliers) {
  Random random(5);
  Series series = noise(random);
  series[3] = 3;
  series[77] = 2;
  EXPECT_EQ(diagnose(series).outliers, 2u);
}

TEST(Diagnosis, ConstantSeriesIsSteady) {
  const Diagnosis d = diagnose(Series(50, 1));
  EXPECT_EQ(d.unsteadiness(), 0);
  EXPECT_EQ(d.outliers, 0u);
}

TEST(Interval, OfTheMedianHoldsTheTruthAsOftenAsItSays) {
  Random random(6);
  int holds = 0;
  for (int i = 0; i < 400; ++i) {
    const Interval interval = median_interval(noise(random));
    holds += interval.low <= 1 && 1 <= interval.high;
  }
  EXPECT_GE(holds, 400 * 0.93);
}

TEST(ComparePaired, DriftOfTheMachineCancelsOut) {
  Random random(8);
  int same = 0, slower = 0;
  for (int i = 0; i < kPairs; ++i) {
    const Series a = with_drift(noise(random), 0.4f), b = with_drift(noise(random), 0.4f);
    same += compare_paired(a, b, 0.05).verdict == Verdict::Same;
    Series c = b;
    for (float& sample : c) sample *= 1.1f;
    slower += compare_paired(a, c, 0.05).verdict == Verdict::Slower;
  }
  EXPECT_GE(same, kPairs * 0.9);
  EXPECT_GE(slower, kPairs * 0.95);
}

TEST(ComparePaired, EightRoundsCanDecideAndSevenCannot) {
  const Series a(8, 1), b(8, 1.2f);
  EXPECT_EQ(compare_paired(a, b, 0.05).verdict, Verdict::Slower);
  const Comparison few = compare_paired(std::span(a).first(7), std::span(b).first(7), 0.05);
  EXPECT_EQ(few.verdict, Verdict::Inconclusive);
  EXPECT_NE(few.doubt.find("8 or more"), std::string::npos);
}

TEST(Interval, OfAQuantileHoldsTheTruthAsOftenAsItSays) {
  Random random(9);
  int holds = 0;
  for (int i = 0; i < 400; ++i) {
    const Interval interval = quantile_interval(noise(random), 0.9);
    holds += interval.low <= 1.02563 && 1.02563 <= interval.high;  // 1.2816 deviations
  }
  EXPECT_GE(holds, 400 * 0.92);
}

TEST(Interval, HalfWidthShrinksWithMoreSamples) {
  Random random(7);
  Series series = noise(random);
  const double few = *relative_half_width(std::span(series).first(20));
  const double many = *relative_half_width(series);
  EXPECT_LT(many, few);
  EXPECT_FALSE(relative_half_width(std::span(series).first(5)));
}

}  // namespace
}  // namespace dlaexec::measure
