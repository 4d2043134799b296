#include "quant/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace dlaexec::quant {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    parse_cache(text);
  } catch (const Error& error) {
    return error.sentence();
  }
  return "";
}

TEST(CalibrationCache, IsReadAsTensorRtWritesIt) {
  const CalibrationCache cache =
      parse_cache("TRT-8601-EntropyCalibration2\nimage: 3c010204\nconv1_out: 3caa4a57\n");
  EXPECT_EQ(cache.version, "8601");
  EXPECT_EQ(cache.algorithm, "EntropyCalibration2");
  ASSERT_EQ(cache.entries.size(), 2u);
  EXPECT_EQ(cache.entries[0], (CacheEntry{"image", 1.0f / 127}));
  EXPECT_NEAR(cache.entries[1].scale * 127, 2.64, 1e-5);
}

TEST(CalibrationCache, IsReadFromOtherWriters) {
  const CalibrationCache expected{"100300", "MinMaxCalibration", {{"a", 0x1p-149f}, {"b", 2.0f}}};
  for (const char* text : {"TRT-100300-MinMaxCalibration\r\na: 00000001\r\nb: 40000000\r\n",
                           "TRT-100300-MinMaxCalibration\na: 1\nb:40000000",
                           "TRT-100300-MinMaxCalibration\n\na:\t1 \n\nb: 40000000\n\n"})
    EXPECT_EQ(parse_cache(text), expected) << text;
}

TEST(CalibrationCache, SplitsAtTheLastColon) {
  const CalibrationCache cache = parse_cache(
      "TRT-8205-EntropyCalibration2\ninput_tensor:0: 3F800000\n(Unnamed Layer* 3) [x]: 1\n");
  EXPECT_EQ(cache.entries[0], (CacheEntry{"input_tensor:0", 1.0f}));
  EXPECT_EQ(cache.entries[1].tensor, "(Unnamed Layer* 3) [x]");
}

TEST(CalibrationCache, SaysWhichLineIsWrong) {
  const std::string head = "TRT-8601-EntropyCalibration2\na: 3c010204\n";
  EXPECT_THAT(error_of(head + "b 3c010204\n"), HasSubstr("line 3: expected '<tensor>: "));
  EXPECT_THAT(error_of(head + "b: 3c01020x\n"), HasSubstr("found '3c01020x'"));
  EXPECT_THAT(error_of(head + "b: 03c010204\n"), HasSubstr("1 to 8 hexadecimal digits"));
  EXPECT_THAT(error_of(head + "b: \n"), HasSubstr("tensor 'b'"));
  EXPECT_THAT(error_of(head + ": 3c010204\n"), HasSubstr("line 3"));
}

TEST(CalibrationCache, RefusesScalesThatAreNone) {
  for (const char* bits : {"bc010204", "80000000", "7fc00000", "7f800000", "ffffffff"})
    EXPECT_THAT(error_of(std::string("TRT-1-X\nt: ") + bits), HasSubstr("tensor 't' has the scale"))
        << bits;
}

TEST(CalibrationCache, RefusesWhatIsNoCache) {
  for (const char* text : {"", "hello", "TRT-", "TRT-8601", "TRT-8601-", "a: 3c010204\n"})
    EXPECT_THAT(error_of(text), HasSubstr("line 1")) << text;
}

TEST(CalibrationCache, ComesBackToTheSameBits) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> bits(0, 0x7f7fffff);
  std::uniform_int_distribution<int> length(1, 12), character(32, 126);
  for (int round = 0; round < 200; ++round) {
    CalibrationCache cache;
    for (int i = 0; i < 10; ++i) {
      std::string name;
      for (int k = length(random); k > 0; --k) name += static_cast<char>(character(random));
      if (name.find_first_not_of(' ') == std::string::npos) name += '.';
      cache.entries.push_back({name, std::bit_cast<float>(bits(random))});
    }
    const std::string text = print_cache(cache);
    EXPECT_EQ(parse_cache(text), cache);
    EXPECT_EQ(print_cache(parse_cache(text)), text);
  }
}

/// Bytes that a name may hold: anything but line breaks, UTF-8 and control characters among them.
std::string odd_name(std::mt19937& random) {
  constexpr const char* kParts[] = {
      ":",  "::",   ": ",      " ",   "\t",  "\xc3\xa9", "\xe4\xb8\xad", "'",
      "\"", "\x01", "input:0", "/a/", "[0]", "\\",       "3f800000",     "#"};
  std::string name;
  for (auto parts = 1 + random() % 6; parts > 0; --parts)
    name += kParts[random() % std::size(kParts)];
  return name;
}

TEST(CalibrationCache, OddNamesAndEveryFiniteScaleComeBackToTheSameBits) {
  std::mt19937 random(7);
  constexpr uint32_t kEdges[] = {0x00000000, 0x00000001, 0x007fffff,
                                 0x00800000, 0x3f800000, 0x7f7fffff};
  for (int round = 0; round < 500; ++round) {
    CalibrationCache cache;
    cache.version = format("{}", 1 + random() % 1000000);
    for (const uint32_t bits : kEdges)
      cache.entries.push_back({odd_name(random), std::bit_cast<float>(bits)});
    const std::string text = print_cache(cache);
    const CalibrationCache back = parse_cache(text);
    EXPECT_EQ(back, cache) << text;
    EXPECT_EQ(print_cache(back), text);
  }
}

TEST(CalibrationCache, OfOldVersionsAndOtherWritersMeansTheSame) {
  std::mt19937 random(8);
  for (const char* version : {"4000", "5105", "7103", "8001", "8205", "8601", "100300", "101300"})
    for (const char* algorithm :
         {"EntropyCalibration", "EntropyCalibration2", "MinMaxCalibration", "LegacyCalibration"}) {
      CalibrationCache cache{version, algorithm, {}};
      std::string text = format("TRT-{}-{}\r\n", version, algorithm);
      for (int i = 0; i < 20; ++i) {
        const uint32_t bits = (random() & 0x7fffffffu) % 0x7f800000u;
        cache.entries.push_back({odd_name(random), std::bit_cast<float>(bits)});
        const std::string& tensor = cache.entries.back().tensor;
        text += i % 2 ? format("{}: {:x}\r\n", tensor, bits) : format("{}: {:08X}\n", tensor, bits);
      }
      EXPECT_EQ(parse_cache(text), cache);
    }
}

TEST(CalibrationCache, CannotHoldLineBreaksInNames) {
  EXPECT_THROW(print_cache({"8601", "X", {{"a\nb", 1.0f}}}), Error);
}

TEST(CalibrationCache, GivesNoScaleForTensorsThatWereAlwaysZero) {
  const Scales scales = scales_of(parse_cache("TRT-1-X\na: 0\nb: 3f800000\nb: 40000000\n"));
  EXPECT_EQ(scales, (Scales{{"b", 2.0f}}));
}

}  // namespace
}  // namespace dlaexec::quant
