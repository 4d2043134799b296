// XXH3: checksums and cache keys. Not for security.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dlaexec {

/// 64-bit XXH3 of @p bytes.
uint64_t hash64(std::span<const std::byte> bytes);
uint64_t hash64(std::string_view text);

/// 128-bit XXH3 as 32 lower-case hex digits: file and model identity in reports and caches.
std::string hash128_hex(std::span<const std::byte> bytes);
std::string hash128_hex(std::string_view text);

}  // namespace dlaexec
