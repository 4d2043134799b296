#include "dla/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"

namespace dlaexec::dla {
namespace {

std::string error_of(auto&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    return error.sentence();
  }
  return "no error";
}

TEST(Platform, EveryPlatformHasModesAndEveryModeBelongsToOne) {
  for (const Platform& board : platforms()) {
    ASSERT_FALSE(board.modes.empty()) << board.name;
    std::set<std::string_view> names;
    for (const PowerMode& mode : board.modes) {
      EXPECT_EQ(mode.platform, board.name);
      EXPECT_TRUE(names.insert(mode.name).second) << board.name << " has two " << mode.name;
      EXPECT_LE(mode.dla_cores, board.dla_cores);
      EXPECT_LE(mode.dla_mhz, board.dla_max_mhz);
      EXPECT_EQ(mode.dla_mhz > 0, mode.dla_cores > 0) << board.name << " " << mode.name;
    }
  }
}

struct PublishedTops {
  std::string_view platform, mode;
  double dla_int8_dense, memory_gb_per_s;
};
class Published : public ::testing::TestWithParam<PublishedTops> {};

TEST_P(Published, RatesFollowFromTheTable) {
  const auto& row = GetParam();
  const Platform& board = platform(row.platform);
  const PowerMode& mode = power_mode(board, row.mode);
  const double tops =
      2e-6 * core_facts(board.generation).int8.macs() * mode.dla_mhz * mode.dla_cores;
  EXPECT_NEAR(tops, row.dla_int8_dense, 0.1);
  EXPECT_NEAR(board.memory_bytes_per_second(mode) / 1e9, row.memory_gb_per_s, 0.15);
}

INSTANTIATE_TEST_SUITE_P(Platform, Published,
                         ::testing::Values(PublishedTops{"agx-xavier", "MAXN", 11.4, 136.5},
                                           PublishedTops{"xavier-nx", "15W", 9.0, 51.2},
                                           PublishedTops{"agx-orin-64", "MAXN", 52.4, 204.8},
                                           PublishedTops{"agx-orin-64", "15W", 20.1, 136.5},
                                           PublishedTops{"agx-orin-32", "MAXN", 46.1, 204.8},
                                           PublishedTops{"orin-nx-16", "MAXN", 20.1, 102.4},
                                           PublishedTops{"orin-nx-16", "MAXN-super", 40.3, 102.4},
                                           PublishedTops{"orin-nx-8", "15W", 10.1, 102.4},
                                           PublishedTops{"orin-nx-8", "40W-super", 19.7, 102.4}));

TEST(Platform, NamesAreFoundInAnyCaseAndTheFirstModeIsMeantWithoutOne) {
  EXPECT_EQ(platform("AGX-Orin-64").name, "agx-orin-64");
  EXPECT_EQ(power_mode(platform("agx-orin-64"), "maxn").dla_mhz, 1600);
  EXPECT_EQ(power_mode(platform(kDefaultPlatform), "").name, "MAXN");
}

TEST(Platform, UnknownNamesAreAnsweredWithTheKnownOnes) {
  EXPECT_THAT(error_of([] { platform("orin"); }),
              ::testing::AllOf(::testing::HasSubstr("'orin'"), ::testing::HasSubstr("agx-orin-64"),
                               ::testing::HasSubstr("orin-nano")));
  EXPECT_THAT(error_of([] { power_mode(platform("orin-nx-8"), "5W"); }),
              ::testing::AllOf(::testing::HasSubstr("'5W'"), ::testing::HasSubstr("40W-super")));
}

TEST(Platform, ACoreThatTheModeLacksIsAUsageError) {
  const auto require = [](std::string_view board, std::string_view mode, int core) {
    require_core(platform(board), power_mode(platform(board), mode), core);
  };
  require("agx-orin-64", "", 1);
  EXPECT_THAT(error_of([&] { require("agx-orin-64", "", 2); }),
              ::testing::HasSubstr("give 0 to 1"));
  EXPECT_THAT(error_of([&] { require("orin-nx-16", "10W", 1); }),
              ::testing::HasSubstr("one DLA core"));
  EXPECT_THAT(error_of([&] { require("orin-nano", "", 0); }), ::testing::HasSubstr("has no DLA"));
}

TEST(Platform, TheJsonListHoldsEveryRowOfTheTextList) {
  const auto list = nlohmann::json::parse(platforms_json());
  const std::string text = platforms_text();
  EXPECT_EQ(list["default"], kDefaultPlatform);
  ASSERT_EQ(list["platforms"].size(), platforms().size());
  size_t rows = 0;
  for (const auto& board : list["platforms"]) {
    for (const auto& mode : board["power_modes"]) {
      ++rows;
      EXPECT_THAT(text,
                  ::testing::HasSubstr(format("{:<12} {:<12}", board["name"].get<std::string>(),
                                              mode["name"].get<std::string>())));
    }
  }
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(text, '\n')), rows + 3);
}

}  // namespace
}  // namespace dlaexec::dla
