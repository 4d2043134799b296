// The log: lines with a severity, handed to one sink that the program chooses.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/format.h"

namespace dlaexec::log {

enum class Severity { Verbose, Info, Warning, Error };

/// Receives every line; @p text may be empty and holds no trailing newline. May be called from
/// several threads, one call at a time.
using Sink = std::function<void(Severity, std::string_view text)>;

/// Replaces the sink; an empty one drops every line. Returns the one before.
Sink set_sink(Sink sink);

/// Hands @p text to the sink.
void write(Severity severity, std::string_view text);

template <class... Args>
void verbose(fmt::format_string<Args...> pattern, Args&&... args) {
  write(Severity::Verbose, format_text(pattern, fmt::make_format_args(args...)));
}
template <class... Args>
void info(fmt::format_string<Args...> pattern, Args&&... args) {
  write(Severity::Info, format_text(pattern, fmt::make_format_args(args...)));
}
template <class... Args>
void warning(fmt::format_string<Args...> pattern, Args&&... args) {
  write(Severity::Warning, format_text(pattern, fmt::make_format_args(args...)));
}
template <class... Args>
void error(fmt::format_string<Args...> pattern, Args&&... args) {
  write(Severity::Error, format_text(pattern, fmt::make_format_args(args...)));
}

/// Catches every line for as long as it lives, then puts the old sink back. For tests.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  /// All lines so far, each "[S] text\n" with S one of V I W E.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  Sink before_;
};

/// The letter that stands for @p severity in a log line: V, I, W or E.
char letter(Severity severity);

}  // namespace dlaexec::log
