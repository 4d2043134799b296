#include "what_if.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log.h"
#include "build/build.h"
#include "support/net.h"

namespace dlaexec::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Settings settings_of(std::vector<std::string> arguments) {
  log::Capture capture;
  arguments.push_back("--onnx=m.onnx");
  return parse_arguments(arguments);
}

std::string error_of(const std::vector<std::string>& arguments) {
  log::Capture capture;
  try {
    make_job(settings_of(arguments));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    return error.sentence();
  }
}

TEST(WhatIf, TakesNumbersAndRanges) {
  EXPECT_THAT(dla_clocks(settings_of({"--dlaClock=800,400:1200:400"})),
              ElementsAre(800, 400, 800, 1200));
  EXPECT_THAT(dram_bandwidths(settings_of({"--dramBandwidth=51.2"})), ElementsAre(51.2));
  EXPECT_TRUE(dla_clocks(settings_of({})).empty());
}

TEST(WhatIf, OneValueChangesTheBoardAndSeveralMakeATable) {
  EXPECT_FALSE(wants_table(settings_of({"--dlaClock=800", "--powerMode=15W"})));
  EXPECT_TRUE(wants_table(settings_of({"--dlaClock=800,900"})));
  EXPECT_TRUE(wants_table(settings_of({"--powerMode=all"})));
  log::Capture capture;
  const Job job = make_job(settings_of({"--dlaClock=800", "--dramBandwidth=50", "--infStreams=4",
                                        "--dlaCores=2", "--dlaSRAM=2", "--predict"}));
  EXPECT_EQ(job.inference.engine.board.dla_mhz, 800);
  EXPECT_EQ(job.inference.engine.board.dram_gb_per_s, 50);
  EXPECT_EQ(job.inference.engine.board.busy_cores, 2);
  EXPECT_EQ(job.inference.bench.dla_cores, 2);
  EXPECT_EQ(job.build.pools.dla_sram, 2 << 20);
  EXPECT_TRUE(job.inference.engine.predict);
}

TEST(WhatIf, SaysWhatIsWrongWithAValue) {
  EXPECT_THAT(error_of({"--dlaClock=0"}), HasSubstr("numbers above 0"));
  EXPECT_THAT(error_of({"--dlaClock=fast"}), HasSubstr("'fast'"));
  EXPECT_THAT(error_of({"--dlaClock=1:2"}), HasSubstr("FROM:TO:STEP"));
  EXPECT_THAT(error_of({"--dramBandwidth=5:2:1"}), HasSubstr("ends before it begins"));
  EXPECT_THAT(error_of({"--dramBandwidth=1:1e9:1"}), HasSubstr("at most 10000"));
  EXPECT_THAT(error_of({"--dlaCores=3"}), HasSubstr("agx-orin-64 in power mode MAXN has 2"));
  EXPECT_THAT(error_of({"--dlaSRAM=1", "--memPoolSize=dlaSRAM:1"}), HasSubstr("give one of them"));
}

TEST(WhatIf, TheTableHasARowForEachCombinationAndItsError) {
  log::Capture capture;
  build::Options options;
  options.graph = test::network("mobilenet_v2");
  options.dla_core = 0;
  options.gpu_fallback = options.fp16 = options.int8 = true;
  const plan::Plan plan = build::build(options);
  const auto table = [&](std::vector<std::string> arguments) {
    const Settings settings = settings_of(std::move(arguments));
    return what_if_table(settings, make_job(settings), plan);
  };
  const auto json = nlohmann::json::parse(table(
      {"--dlaClock=400:1600:400", "--dramBandwidth=50,200", "--powerMode=MAXN,15W", "--json"}));
  ASSERT_EQ(json["points"].size(), 4u * 2 * 2);
  EXPECT_EQ(json["timeline"], "predicted");
  EXPECT_THAT(json["error"].get<std::string>(), HasSubstr("DLA +-15 %"));
  const auto& slow = json["points"][0];
  const auto& fast = json["points"][7];
  EXPECT_EQ(slow["dla_mhz"], 400);
  EXPECT_EQ(fast["dram_gb_per_s"], 200);
  EXPECT_GT(slow["dla_ms"], fast["dla_ms"]);
  EXPECT_GT(fast["latency_ms"], fast["dla_ms"]);
  const std::string text = table({"--powerMode=all"});
  EXPECT_THAT(text, HasSubstr("(modelled, DLA +-15 %"));
  for (const char* mode : {"MAXN", "50W", "30W", "15W"}) EXPECT_THAT(text, HasSubstr(mode));
}

}  // namespace
}  // namespace dlaexec::cli
