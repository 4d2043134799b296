#include "base/wildcard.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace dlaexec
