// Element types.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/enum_text.h"

namespace dlaexec::ir {

/// What a tensor's elements are. Bool takes one byte, 0 or 1.
enum class DataType : uint8_t { Float32, Float16, BFloat16, Int8, UInt8, Int32, Int64, Bool };

}  // namespace dlaexec::ir

DLAEXEC_ENUM_TEXT(dlaexec::ir::DataType, "f32", "f16", "bf16", "i8", "u8", "i32", "i64", "bool");

namespace dlaexec::ir {

/// Bytes of one element.
constexpr size_t size_bytes(DataType type) {
  constexpr size_t kSizes[] = {4, 2, 2, 1, 1, 4, 8, 1};
  return kSizes[static_cast<size_t>(type)];
}

constexpr bool is_float(DataType type) { return type <= DataType::BFloat16; }

}  // namespace dlaexec::ir
