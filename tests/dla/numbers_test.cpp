#include "dla/numbers.h"

#include <gtest/gtest.h>

#include <limits>

namespace dlaexec::dla {
namespace {

TEST(Numbers, ConvertersRoundHalfAwayFromZero) {  // dla.md 7.5
  const Converter half{0, 1, 1};
  EXPECT_EQ(apply(half, 1), 1);
  EXPECT_EQ(apply(half, 3), 2);
  EXPECT_EQ(apply(half, 5), 3);
  EXPECT_EQ(apply(half, -1), -1);
  EXPECT_EQ(apply(half, -3), -2);
  EXPECT_EQ(apply({3, -2, 2}, 8), -3);  // -10 / 4 = -2.5
}

TEST(Numbers, HalvesSaturateAndKeepSubnormals) {  // dla.md 7.5
  EXPECT_EQ(to_half(65520.0f).bits, 0x7bff);
  EXPECT_EQ(to_half(std::numeric_limits<float>::infinity()).bits, 0x7bff);
  EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()).bits, 0xfbff);
  EXPECT_EQ(to_half(0x1p-24f).bits, 0x0001);
  EXPECT_EQ(to_half(0x1p-130f).bits, 0x0000);
  EXPECT_EQ(to_half(std::numeric_limits<float>::quiet_NaN()).bits, kNanBits);
}

TEST(Numbers, EveryHalfIsAnFp17Number) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = static_cast<float>(Half::from_bits(static_cast<uint16_t>(bits)));
    if (std::isfinite(value)) {
      EXPECT_EQ(to_fp17(value), value);
    }
  }
  EXPECT_EQ(to_fp17(1.0f + 0x1p-11f), 1.0f);              // tie to even
  EXPECT_EQ(to_fp17(1.0f + 0x1.8p-10f), 1.0f + 0x1p-9f);  // tie to even, up
  EXPECT_EQ(to_fp17(1e10f), 0x1.ffcp31f);
  EXPECT_EQ(to_fp17(0x1p-41f), 0.0f);
  EXPECT_EQ(to_fp17(0x1.8p-40f), 0x1p-39f);
}

TEST(Numbers, FactorsBecomeConvertersWithin2ToTheMinus15) {
  for (double wanted = 1e-9; wanted < 3e4; wanted *= 1.37)
    for (const double signed_factor : {wanted, -wanted}) {
      ASSERT_TRUE(is_representable(signed_factor));
      EXPECT_LE(std::fabs(factor(converter_of(signed_factor)) / signed_factor - 1), 0x1p-15);
    }
  EXPECT_EQ(converter_of(1), Converter{});
  EXPECT_EQ(converter_of(-0.25), (Converter{0, -1, 2}));
  EXPECT_FALSE(is_representable(40000));
}

}  // namespace
}  // namespace dlaexec::dla
