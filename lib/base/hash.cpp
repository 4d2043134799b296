#define XXH_INLINE_ALL  // no library of it to link
#include "base/hash.h"

#include <xxhash.h>

#include "base/format.h"

namespace dlaexec {

uint64_t hash64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t hash64(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

std::string hash128_hex(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string hash128_hex(std::string_view text) {
  return hash128_hex(std::as_bytes(std::span(text)));
}

}  // namespace dlaexec
