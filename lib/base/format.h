// Text formatting: fmt's syntax, checked at compile time, without compiling fmt into every file.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace dlaexec {

/// The text of @p pattern with its arguments put in; the one place that runs fmt.
std::string format_text(fmt::string_view pattern, fmt::format_args arguments);

/// format("{} of {}", 1, "two"). An object and no function: arguments of std would bring
/// std::format in where the standard library has it, and a call would be ambiguous.
inline constexpr struct {
  template <class... Args>
  std::string operator()(fmt::format_string<Args...> pattern, Args&&... args) const {
    return format_text(pattern, fmt::make_format_args(args...));
  }
} format;

/// Items joined by @p separator; each through @p text, which gives a string.
template <class Range, class Text>
std::string join(const Range& items, std::string_view separator, Text&& text) {
  std::string joined;
  bool first = true;
  for (const auto& item : items) {
    if (!first) joined += separator;
    first = false;
    joined += text(item);
  }
  return joined;
}

/// Items joined by @p separator, each as fmt prints it.
template <class Range>
std::string join(const Range& items, std::string_view separator) {
  return join(items, separator, [](const auto& item) { return format("{}", item); });
}

}  // namespace dlaexec
