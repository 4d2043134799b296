// What the clock model says of whole networks on boards, batches and power modes that nobody
// measured: the laws that hold for any board.
#include <gtest/gtest.h>

#include <map>

#include "base/log.h"
#include "build/build.h"
#include "dla/clock.h"
#include "dla/platform.h"
#include "support/net.h"

namespace dlaexec::build {
namespace {

enum class Precision { Int8, Fp16 };

std::vector<dla::Loadable> build_loadables(std::string_view network, std::string_view board,
                                           int64_t batch, Precision precision) {
  const log::Sink before = log::set_sink({});
  Options options;
  options.graph = test::network(network, batch);
  options.platform = board;
  options.dla_core = 0;
  options.gpu_fallback = true;
  options.fp16 = true;
  options.int8 = precision == Precision::Int8;
  const plan::Plan plan = build(options);
  log::set_sink(before);
  std::vector<dla::Loadable> read;
  for (const plan::Loadable& section : plan.loadables)
    read.push_back(dla::deserialize(section.bytes, section.owner));
  return read;
}

/// The loadables of a published network, the same for all boards of a generation.
const std::vector<dla::Loadable>& loadables(std::string_view network, std::string_view board,
                                            int64_t batch = 1,
                                            Precision precision = Precision::Int8) {
  static std::map<std::string, std::vector<dla::Loadable>> built;
  const auto [found, is_new] =
      built.try_emplace(format("{} {} {} {}", network, ir::text(dla::platform(board).generation),
                               batch, static_cast<int>(precision)));
  if (is_new) found->second = build_loadables(network, board, batch, precision);
  return found->second;
}

double seconds(const std::vector<dla::Loadable>& network, const dla::ClockSettings& settings) {
  double sum = 0;
  for (const dla::Loadable& loadable : network) sum += dla::estimate(loadable, settings).seconds;
  return sum;
}

dla::ClockSettings settings_of(std::string_view board, std::string_view mode = "") {
  return dla::clock_settings(dla::platform(board), dla::power_mode(dla::platform(board), mode));
}

constexpr std::string_view kBoards[] = {"agx-xavier", "agx-orin-64"};

TEST(ModelledTime, TwoCoresReachThePublishedPartOfTwiceOne) {
  // ResNet-50 on AGX Orin: 87 % (dla.md 6.4).
  const auto& resnet = loadables("resnet50", "agx-orin-64");
  dla::ClockSettings settings = settings_of("agx-orin-64");
  const double alone = seconds(resnet, settings);
  settings.busy_cores = 2;
  EXPECT_NEAR(alone / seconds(resnet, settings), 0.87, 0.01);
}

TEST(ModelledTime, GrowsWithTheBatchButNotAnImages) {
  for (const std::string_view board : kBoards)
    for (const std::string_view network : {"resnet50", "mobilenet_v2"}) {
      double before = 0;
      for (const int64_t batch : {1, 2, 4}) {
        const double now = seconds(loadables(network, board, batch), settings_of(board));
        if (batch > 1) {
          EXPECT_GT(now, 1.2 * before) << network << " on " << board << " batch " << batch;
          EXPECT_LE(now, 2.1 * before) << network << " on " << board << " batch " << batch;
        }
        before = now;
      }
    }
}

TEST(ModelledTime, FallsWithTheClockAndNeverFasterThanIt) {
  for (const std::string_view board : kBoards) {
    const auto& resnet = loadables("resnet50", board);
    dla::ClockSettings settings = settings_of(board);
    for (double mhz = 200; mhz < 1600; mhz *= 1.3) {
      settings.clock_hz = mhz * 1e6;
      const double slow = seconds(resnet, settings);
      settings.clock_hz *= 1.3;
      const double fast = seconds(resnet, settings);
      EXPECT_LT(fast, slow) << board << ' ' << mhz;
      EXPECT_GT(fast, slow / 1.3 - 1e-9) << board << ' ' << mhz;
    }
  }
}

TEST(ModelledTime, FallsWithTheMemorysRateUntilSomethingElseLimits) {
  for (const std::string_view board : kBoards) {
    const auto& resnet = loadables("resnet50", board);
    dla::ClockSettings settings = settings_of(board);
    double before = 1e9;
    for (const double rate : {2e9, 10e9, 50e9, 200e9, 1000e9}) {
      settings.dram_bytes_per_second = rate;
      EXPECT_LE(seconds(resnet, settings), before) << board << ' ' << rate;
      before = seconds(resnet, settings);
    }
    settings.dram_bytes_per_second = 1e15;
    EXPECT_NEAR(seconds(resnet, settings), before, 1e-9) << board;  // the core's port
  }
}

TEST(ModelledTime, OrdersNetworksByTheirWorkAndPrecisionsByTheirRate) {
  for (const std::string_view board : kBoards) {
    const dla::ClockSettings settings = settings_of(board);
    const double resnet = seconds(loadables("resnet50", board), settings);
    EXPECT_LT(seconds(loadables("mobilenet_v2", board), settings), resnet) << board;
    const double in_fp16 = seconds(loadables("resnet50", board, 1, Precision::Fp16), settings);
    EXPECT_GT(in_fp16, 1.5 * resnet) << board;
  }
}

TEST(ModelledTime, OfPowerModesFollowsTheirClocks) {
  for (const dla::Platform& board : dla::platforms()) {
    if (board.dla_cores == 0) continue;
    const auto& resnet = loadables("resnet50", board.name);
    for (const dla::PowerMode& a : board.modes)
      for (const dla::PowerMode& b : board.modes) {
        if (a.dla_mhz == 0 || a.dla_mhz < b.dla_mhz || a.memory_mhz < b.memory_mhz ||
            b.dla_mhz == 0)
          continue;
        EXPECT_LE(seconds(resnet, dla::clock_settings(board, a)),
                  seconds(resnet, dla::clock_settings(board, b)))
            << board.name << ": " << a.name << " and " << b.name;
      }
  }
}

}  // namespace
}  // namespace dlaexec::build
