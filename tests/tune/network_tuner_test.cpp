#include "tune/network_tuner.h"

#include <gmock/gmock.h>

namespace dlaexec::tune {
namespace {

using testing::Contains;
using testing::Field;

gpu::Lowered posing(const std::vector<gpu::Choice>& choices) {
  gpu::Lowered lowered;
  lowered.choices = choices;
  return lowered;
}

const gpu::Choice kConv{"conv", {"p", "q", "r"}, "p", {0}};
const gpu::Choice kPair{"pair", {"joined", "apart"}, "apart", {1, 2}};

std::vector<Exchange> exchanges_with(const Rankings& rankings) {
  const std::vector<gpu::Lowered> apart = {posing({kConv, kPair}), posing({kConv})};
  return exchanges_of(rankings, apart);
}

/// The promise of changing @p problem to @p tactic alone; below zero when nobody would.
double promise_of(const std::vector<Exchange>& exchanges, const std::string& problem,
                  const std::string& tactic) {
  for (const Exchange& exchange : exchanges)
    if (exchange.changes == Choices{{problem, tactic}} && exchange.promise < 1e20)
      return exchange.promise;
  return -1;
}

TEST(ExchangesOf, TheNextBestOfEachProblemByItsShareOfTime) {
  const auto exchanges = exchanges_with({{"conv", {{"p", 10, 10}, {"q", 11, 11}, {"r", 11, 11}}}});
  EXPECT_EQ(promise_of(exchanges, "conv", "q"), 20) << "posed twice";
  EXPECT_EQ(promise_of(exchanges, "conv", "r"), 10) << "the second best promises less";
  EXPECT_EQ(promise_of(exchanges, "conv", "p"), -1) << "is what is run already";
}

TEST(ExchangesOf, WhatIsFarSlowerAloneIsNotTried) {
  const auto exchanges = exchanges_with({{"conv", {{"p", 10, 10}, {"q", 13, 13}}}});
  EXPECT_EQ(promise_of(exchanges, "conv", "q"), -1);
}

TEST(ExchangesOf, PairsAreTriedApartHoweverSlowThatWasAlone) {
  const auto exchanges = exchanges_with({{"pair", {{"joined", 10, 10}}}});
  EXPECT_EQ(promise_of(exchanges, "pair", "apart"), 10);
  EXPECT_THAT(exchanges, Contains(Field(&Exchange::promise, testing::Gt(1e20))))
      << "all of them together, first";
}

TEST(ExchangesOf, ProblemsThatWereKnownBeforeStayAsTheyAre) {
  EXPECT_TRUE(exchanges_with({}).empty());
}

}  // namespace
}  // namespace dlaexec::tune
