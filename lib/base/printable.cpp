#include "base/printable.h"

#include <cstddef>

namespace dlaexec {
namespace {

/// How many bytes a character of UTF-8 has that begins with @p first; 0 if none does.
size_t length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// The length of the character at the head of @p text; 0 if its bytes are none.
size_t character_at_head(std::string_view text) {
  const size_t length = length_of(static_cast<unsigned char>(text[0]));
  if (length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return length;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = character_at_head(text);
    if (length == 0 || is_control(text[0]))
      result += '?';
    else
      result += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace dlaexec
