#include "dla/cbuf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dlaexec::dla {
namespace {

struct Case {
  const char* name;
  CbufLayer layer;
  int64_t weight_banks, entries, data_banks;
};

TEST(Cbuf, CountsTheBanksOfKnownLayers) {
  const Case cases[] = {
      {"ResNet-50 conv1 int8", {3, 64, 7, 7, 1, 224, 1}, 1, 56, 2},
      {"ResNet-50 conv1 fp16", {3, 64, 7, 7, 1, 224, 2}, 1, 56, 2},
      {"64 channels int8", {64, 64, 3, 3, 1, 56, 1}, 1, 28, 1},
      {"64 channels fp16", {64, 64, 3, 3, 1, 56, 2}, 1, 56, 1},
      {"512 channels int8", {512, 512, 3, 3, 1, 160, 1}, 1, 640, 8},
      {"512 channels fp16", {512, 512, 3, 3, 1, 160, 2}, 1, 1280, 15},
      {"1024 channels int8", {1024, 1024, 3, 3, 1, 128, 1}, 1, 1024, 12},
      {"1024 channels fp16", {1024, 1024, 3, 3, 1, 128, 2}, 1, 2048, 24},
      {"dilated 5x5", {256, 256, 5, 5, 4, 128, 1}, 1, 256, 17},
      {"ASPP", {2048, 256, 3, 3, 6, 65, 1}, 1, 1040, 53},
  };
  for (const Case& each : cases) {
    const CbufNeed need = cbuf_need(each.layer);
    EXPECT_EQ(need.weight_banks, each.weight_banks) << each.name;
    EXPECT_EQ(need.entries_per_slice, each.entries) << each.name;
    EXPECT_EQ(need.data_banks, each.data_banks) << each.name;
    EXPECT_EQ(need.fits(), each.weight_banks + each.data_banks <= 16) << each.name;
  }
}

TEST(Cbuf, KnowsThatAFullBufferLeavesNoRoomForAKernelGroup) {
  const CbufNeed need = cbuf_need({512, 512, 3, 3, 1, 160, 2});
  EXPECT_EQ(need.banks(), 16);
  EXPECT_TRUE(need.fits());
  EXPECT_EQ(need.group_banks, 5);
  EXPECT_FALSE(need.group_fits());
}

TEST(Cbuf, FindsTheLargestMeasureThatFitsAndNoneBeyond) {
  const CbufLayer layer{1024, 1024, 3, 3, 1, 128, 2};
  for (const auto& [largest, measure] :
       {std::pair{largest_width(layer), &CbufLayer::width},
        std::pair{largest_channels(layer), &CbufLayer::channels}}) {
    ASSERT_TRUE(largest.has_value());
    CbufLayer changed = layer;
    changed.*measure = *largest;
    EXPECT_TRUE(cbuf_need(changed).fits());
    changed.*measure = *largest + 1;
    EXPECT_FALSE(cbuf_need(changed).fits());
  }
}

TEST(Cbuf, SaysWhenNoDilationHelps) {
  EXPECT_EQ(largest_dilation({8192, 8, 3, 3, 2, 512, 2}), std::nullopt);
  EXPECT_EQ(largest_dilation({256, 256, 5, 5, 4, 128, 1}), 3);
}

TEST(Cbuf, ShowsItsArithmetic) {
  EXPECT_THAT(arithmetic({1024, 1024, 3, 3, 1, 128, 2}), testing::HasSubstr("1 + 24 = 25"));
}

}  // namespace
}  // namespace dlaexec::dla
