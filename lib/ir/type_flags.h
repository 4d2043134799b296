// Types as people write them in flags: fp32 where listings say f32.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "ir/type.h"

namespace dlaexec::ir {

/// In the order of DataType.
inline constexpr std::array<std::string_view, 8> kFlagTypes = {"fp32",  "fp16",  "bf16",  "int8",
                                                               "uint8", "int32", "int64", "bool"};

/// "fp16" for Float16.
constexpr std::string_view flag_text(DataType type) {
  return kFlagTypes[static_cast<size_t>(type)];
}

/// The type that flag_text() writes as @p text; nothing where there is none.
constexpr std::optional<DataType> type_of_flag(std::string_view text) {
  for (size_t i = 0; i < kFlagTypes.size(); ++i)
    if (kFlagTypes[i] == text) return static_cast<DataType>(i);
  return std::nullopt;
}

}  // namespace dlaexec::ir
