// Enums that have a text form: one array of names beside each enum.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dlaexec::ir {

/// The names of an enum's values in order; specialized beside each enum that has a text form.
template <class Enum>
inline constexpr std::array<std::string_view, 0> kEnumText{};

template <class Enum>
concept TextEnum = std::is_enum_v<Enum> &&(kEnumText<Enum>.size() > 0);

template <TextEnum Enum>
constexpr std::string_view text(Enum value) {
  return kEnumText<Enum>[static_cast<size_t>(value)];
}

/// The value called @p name, if there is one.
template <TextEnum Enum>
constexpr std::optional<Enum> parse_enum(std::string_view name) {
  for (size_t i = 0; i < kEnumText<Enum>.size(); ++i)
    if (kEnumText<Enum>[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace dlaexec::ir

/// Gives @p Enum its text form; at global scope, names in the order of the values.
#define DLAEXEC_ENUM_TEXT(Enum, ...)                   \
  template <>                                          \
  inline constexpr auto dlaexec::ir::kEnumText<Enum> = \
      std::to_array<std::string_view>({__VA_ARGS__})
