// FP16 and FP17 numbers without branches, so that loops over neighbouring elements become vector
// code on every machine. Each function equals the one of dla/numbers.h or dla/core/sdp.h that it
// names.
#pragma once

#include <bit>

#include "dla/numbers.h"

namespace dlaexec::dla::core {

inline constexpr uint32_t kInfinityWord = 0x7f800000;  ///< of FP32; what is above it is NaN
inline constexpr uint32_t kSignWord = 0x80000000;
inline constexpr int kFp17Dropped = 13;  ///< bits of the mantissa that FP17 and FP16 lack
inline constexpr uint32_t kLeastNormalFp17 = std::bit_cast<uint32_t>(0x1p-30f);
inline constexpr uint32_t kLargestFp17 = std::bit_cast<uint32_t>(0x1.ffcp31f);

/// to_fp17(value)
inline float fp17(float value) {
  const auto word = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = word & ~kSignWord;
  const uint32_t nearest =
      std::min((magnitude + 0xfffu + ((magnitude >> kFp17Dropped) & 1u)) & ~0x1fffu, kLargestFp17);
  const float small = (std::bit_cast<float>(magnitude) + 0x1p-17f) - 0x1p-17f;
  const uint32_t rounded = magnitude < kLeastNormalFp17 ? std::bit_cast<uint32_t>(small) : nearest;
  return std::bit_cast<float>((magnitude > kInfinityWord ? magnitude : rounded) |
                              (word & kSignWord));
}

/// to_fp17(widen(half)): every finite FP16 number is one of FP17.
inline float fp17_of(uint16_t half) {
  constexpr uint32_t kLeastNormal = 0x400, kInfinity = 0x7c00;
  const uint32_t magnitude = half & 0x7fffu;
  const uint32_t normal = (magnitude << kFp17Dropped) + (112u << 23);
  const uint32_t small =
      std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
  uint32_t word = magnitude < kLeastNormal ? small : normal;
  word = magnitude == kInfinity ? kLargestFp17 : word;
  word = magnitude > kInfinity ? ~kSignWord : word;
  return std::bit_cast<float>(word | static_cast<uint32_t>(half & 0x8000u) << 16);
}

/// to_half(value) of an FP17 number: only subnormals of FP16 have to be rounded.
inline uint16_t half_of_fp17(float value) {
  constexpr uint32_t kLeastNormal = std::bit_cast<uint32_t>(0x1p-14f);
  constexpr uint32_t kLargest = std::bit_cast<uint32_t>(kLargestHalf);
  const auto word = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = word & ~kSignWord;
  const uint32_t normal = (std::min(magnitude, kLargest) >> kFp17Dropped) - (112u << 10);
  // One step of a subnormal is 2^-24, which is also the last bit of numbers from 0.5 on.
  const uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
                         std::bit_cast<uint32_t>(0.5f);
  const uint32_t bits = (magnitude < kLeastNormal ? small : normal) | (word & kSignWord) >> 16;
  return static_cast<uint16_t>(magnitude > kInfinityWord ? uint32_t{kNanBits} : bits);
}

}  // namespace dlaexec::dla::core
