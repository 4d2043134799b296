#include "tune/timing_cache.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace dlaexec::tune {
namespace {

TEST(TimingCache, IsTextThatRoundTripsAndSorts) {
  TimingCache cache;
  cache.set("H200", "conv b", {"mma 64x64", 12.5});
  cache.set("H200", "conv a", {"wgmma 128x128", 3.25});
  EXPECT_EQ(cache.text(),
            "dlaexec timing cache 1\n"
            "H200 | conv a | wgmma 128x128 | 3.250\n"
            "H200 | conv b | mma 64x64 | 12.500\n");
  EXPECT_EQ(TimingCache::parse(cache.text()).text(), cache.text());
}

TEST(TimingCache, AMergeKeepsTheFasterDecision) {
  TimingCache mine, yours;
  mine.set("H200", "conv a", {"slow", 9});
  mine.set("H200", "conv b", {"fast", 1});
  yours.set("H200", "conv a", {"fast", 2});
  yours.set("H200", "conv b", {"slow", 7});
  yours.set("L4", "conv a", {"other", 4});
  mine.merge(yours);
  EXPECT_EQ(mine.size(), 3u);
  EXPECT_EQ(mine.find("H200", "conv a")->tactic, "fast");
  EXPECT_EQ(mine.find("H200", "conv b")->tactic, "fast");
  EXPECT_EQ(mine.find("L4", "conv b"), nullptr);
}

TEST(TimingCache, ADamagedLineIsNamed) {
  try {
    TimingCache::parse("dlaexec timing cache 1\nH200 | conv a | mma\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("line 2"));
  }
  EXPECT_THROW(TimingCache::parse("something else\n"), Error);
}

TEST(TimingCache, AMissingFileIsAnEmptyCache) {
  EXPECT_EQ(TimingCache::load("/nonexistent/cache").size(), 0u);
}

}  // namespace
}  // namespace dlaexec::tune
