#include "tune/network_bench.h"

#include <gtest/gtest.h>

namespace dlaexec::tune {
namespace {

TEST(RatioOf, OutliersOnEitherSideDecideNothing) {
  const std::vector<double> kept = {10, 10, 10, 10, 10, 10, 50, 10};
  const std::vector<double> tried = {11, 11, 11, 99, 11, 11, 11, 11};
  EXPECT_DOUBLE_EQ(ratio_of(kept, tried).value, 1.1);
}

TEST(RatioOf, WhatSlowsBothDownCancels) {
  const std::vector<double> kept = {10, 12, 14, 16}, tried = {9, 10.8, 12.6, 14.4};
  EXPECT_NEAR(ratio_of(kept, tried).value, 0.9, 1e-12);
}

TEST(RatioOf, DoubtIsWhatMoreRunsTakeAway) {
  std::vector<double> kept, tried;
  for (int i = 0; i < 16; ++i) {
    kept.push_back(10);
    tried.push_back(10 + 0.1 * (i % 5));
  }
  const double doubt = ratio_of(kept, tried).doubt;
  EXPECT_GT(doubt, 0);
  for (int i = 0; i < 48; ++i) {
    kept.push_back(10);
    tried.push_back(10 + 0.1 * (i % 5));
  }
  EXPECT_NEAR(ratio_of(kept, tried).doubt, doubt / 2, doubt / 8);
}

TEST(RatioOf, OnePairIsEnough) {
  const std::vector<double> kept = {10}, tried = {12};
  EXPECT_DOUBLE_EQ(ratio_of(kept, tried).value, 1.2);
}

}  // namespace
}  // namespace dlaexec::tune
