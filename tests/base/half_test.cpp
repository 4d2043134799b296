#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dlaexec {
namespace {

TEST(Half, EveryBitPatternSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Half half = Half::from_bits(static_cast<uint16_t>(bits));
    const float value = static_cast<float>(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(Half(value))));
    } else {
      EXPECT_EQ(Half(value).bits, bits);
    }
  }
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(Half(1.0f + 0x1p-11f).bits, 0x3c00);      // half way, down to even
  EXPECT_EQ(Half(1.0f + 3 * 0x1p-11f).bits, 0x3c02);  // half way, up to even
  EXPECT_EQ(Half(0x1p-24f).bits, 0x0001);             // the least subnormal
  EXPECT_EQ(Half(0x1p-25f).bits, 0x0000);             // half way to it, down to even
  EXPECT_EQ(Half(65519.0f).bits, 0x7bff);             // still rounds to the largest
  EXPECT_EQ(Half(65520.0f).bits, 0x7c00);             // rounds past it
  EXPECT_EQ(Half(-std::numeric_limits<float>::infinity()).bits, 0xfc00);
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(BFloat16(1.0f).bits, 0x3f80);
  EXPECT_EQ(BFloat16(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(BFloat16(1.0f + 3 * 0x1p-8f).bits, 0x3f82);
}

}  // namespace
}  // namespace dlaexec
