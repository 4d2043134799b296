#include "tune/decisions.h"

#include <gtest/gtest.h>

namespace dlaexec::tune {
namespace {

gpu::Lowered posing(const std::vector<std::string>& problems) {
  gpu::Lowered lowered;
  for (const std::string& problem : problems) lowered.choices.push_back({problem, {"x"}, "x", {0}});
  return lowered;
}

TEST(Decisions, OneMadeInTheNetworkGoesBeforeTheOneForTheProblemItself) {
  TimingCache cache;
  cache.set("H200", "conv a", {"alone", 1});
  cache.set("H200", "conv b", {"alone", 1});
  cache.set("H200", in_network("n", "conv a"), {"together", 200});
  const auto chosen = [&](const std::string& network, const std::string& problem) {
    return options_from(cache, "H200", network).choose(problem, {"first"});
  };
  EXPECT_EQ(chosen("n", "conv a"), "together");
  EXPECT_EQ(chosen("n", "conv b"), "alone");
  EXPECT_EQ(chosen("other", "conv a"), "alone");
  EXPECT_EQ(chosen("", "conv a"), "alone");
  EXPECT_EQ(chosen("n", "conv c"), "") << "the cost model's favourite";
}

TEST(Decisions, OfTwoRunsOfANetworkTheFasterOnesAreKeptTogether) {
  TimingCache mine, yours;
  mine.set("H200", in_network("n", "conv a"), {"x", 200});
  mine.set("H200", in_network("n", "conv b"), {"x", 200});
  yours.set("H200", in_network("n", "conv a"), {"y", 190});
  yours.set("H200", in_network("n", "conv b"), {"y", 190});
  mine.merge(yours);
  EXPECT_EQ(mine.text(), yours.text());
  EXPECT_EQ(TimingCache::parse(mine.text()).text(), mine.text());
}

TEST(Decisions, ANetworkIsKnownByItsProblemsInTheirOrder) {
  const std::vector<gpu::Lowered> network = {posing({"a", "b"}), posing({"a"})};
  EXPECT_EQ(network_key(network), network_key(std::vector{posing({"a", "b"}), posing({"a"})}));
  EXPECT_NE(network_key(network), network_key(std::vector{posing({"b", "a"}), posing({"a"})}));
  EXPECT_NE(network_key(network), network_key(std::vector{posing({"a", "b"})}));
}

}  // namespace
}  // namespace dlaexec::tune
