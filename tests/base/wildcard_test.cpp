#include "base/wildcard.h"

#include <gtest/gtest.h>

#include <map>

namespace dlaexec {
namespace {

TEST(Wildcard, StandsForAnyRunOfCharacters) {
  EXPECT_TRUE(matches_wildcard("*", ""));
  EXPECT_TRUE(matches_wildcard("conv*", "conv"));
  EXPECT_TRUE(matches_wildcard("conv*", "conv12/relu"));
  EXPECT_TRUE(matches_wildcard("*relu", "block/relu/relu"));
  EXPECT_TRUE(matches_wildcard("a*b*c", "a/b/b/c"));
  EXPECT_FALSE(matches_wildcard("a*b*c", "a/c/b"));
  EXPECT_FALSE(matches_wildcard("conv", "conv1"));
  EXPECT_FALSE(matches_wildcard("conv?", "conv1"));
}

TEST(Wildcard, TheNameItselfSpeaksBeforeTheLongestPattern) {
  const std::map<std::string, int> entries = {{"*", 1}, {"conv*", 2}, {"conv1*", 3}, {"conv1", 4}};
  EXPECT_EQ(entry_for(entries, "conv1")->second, 4);
  EXPECT_EQ(entry_for(entries, "conv12")->second, 3);
  EXPECT_EQ(entry_for(entries, "conv2")->second, 2);
  EXPECT_EQ(entry_for(entries, "fc")->second, 1);
  EXPECT_EQ(entry_for(std::map<std::string, int>{{"a*", 1}}, "fc"), nullptr);
}

}  // namespace
}  // namespace dlaexec
