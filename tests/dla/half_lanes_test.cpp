#include "dla/core/half_lanes.h"

#include <gtest/gtest.h>

#include "dla/core/sdp_arithmetic.h"

namespace dlaexec::dla::core {
namespace {

uint32_t word_of(float value) { return std::bit_cast<uint32_t>(value); }

/// Equal bits, or NaN both.
bool is_same(float a, float b) {
  return word_of(a) == word_of(b) || (std::isnan(a) && std::isnan(b));
}

TEST(HalfLanes, ReadEveryHalfAsTheUnitsDo) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const Half half = Half::from_bits(static_cast<uint16_t>(bits));
    EXPECT_TRUE(is_same(fp17_of(half.bits), to_fp17(widen(half)))) << bits;
  }
}

TEST(HalfLanes, RoundAndWriteAsTheUnitsDo) {
  for (uint64_t word = 0; word <= 0xffffffff; word += 4093) {  // odd, so every bit gets its turn
    const float value = std::bit_cast<float>(static_cast<uint32_t>(word));
    const float rounded = to_fp17(value);
    EXPECT_TRUE(is_same(fp17(value), rounded)) << value;
    EXPECT_EQ(half_of_fp17(rounded), to_half(rounded).bits) << rounded;
  }
}

}  // namespace
}  // namespace dlaexec::dla::core
