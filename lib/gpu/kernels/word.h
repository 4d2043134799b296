// Elements that only move, as words of their size.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/format.h"
#include "ir/graph.h"

namespace dlaexec::gpu {

/// The device's type of @p bytes bytes: 1, 2, 4, 8, or 16 where index.cu's Quad is known.
inline std::string_view word_type(int64_t bytes) {
  switch (bytes) {
    case 1:
      return "unsigned char";
    case 2:
      return "unsigned short";
    case 4:
      return "unsigned";
    case 8:
      return "unsigned long long";
    default:
      return "Quad";
  }
}

/// Why elements of @p from do not stay as they are in @p to, as a clause; nothing if they do.
inline std::optional<std::string> why_not_words(const ir::Value& from, const ir::Value& to) {
  if (from.type != to.type)
    return format("elements that change from {} to {}", ir::text(from.type), ir::text(to.type));
  if (from.type == ir::DataType::Int8 && from.quantization != to.quantization)
    return std::string("elements that change their scale");
  return std::nullopt;
}

}  // namespace dlaexec::gpu
