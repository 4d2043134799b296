#include "console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "report/text.h"

namespace dlaexec::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_coloured(Colour colour, int descriptor) {
  if (colour != Colour::Auto) return colour == Colour::Always;
  if (is_set("NO_COLOR")) return false;
  if (is_set("CLICOLOR_FORCE") && std::string_view(std::getenv("CLICOLOR_FORCE")) != "0")
    return true;
  return ::isatty(descriptor) != 0;
}

std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%m/%d/%Y-%H:%M:%S", &local);
  return text;
}

/// "2026-11-26T07:42:00.123Z"
std::string universal_time() {
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  std::tm universal{};
  ::gmtime_r(&now.tv_sec, &universal);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &universal);
  return format("{}.{:03}Z", text, now.tv_nsec / 1000000);
}

std::string json_line(std::string_view level, std::string_view text) {
  return format("{{\"ts\":\"{}\",\"level\":\"{}\",\"msg\":{}}}\n", universal_time(), level,
                report::json_string(text));
}

std::string_view level_of(log::Severity severity) {
  constexpr std::string_view kLevels[] = {"verbose", "info", "warning", "error"};
  return kLevels[static_cast<size_t>(severity)];
}

std::string_view colour_of(log::Severity severity) {
  switch (severity) {
    case log::Severity::Warning:
      return "\033[33m";
    case log::Severity::Error:
      return "\033[31m";
    case log::Severity::Verbose:
    case log::Severity::Info:
      return "";
  }
  return "";
}

void put(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);  // lines of both streams keep their order when they are merged
}

}  // namespace

Persona persona_of(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  return name == "trtexec" ? Persona::Trtexec : Persona::Dlaexec;
}

Console::Console(std::vector<std::string> command)
    : command_(std::move(command)), persona_(persona_of(command_.empty() ? "" : command_.front())) {
  set_colour(Colour::Auto);
  before_ = log::set_sink(
      [this](log::Severity severity, std::string_view text) { take(severity, text); });
}

Console::~Console() { log::set_sink(std::move(before_)); }

void Console::set_colour(Colour colour) {
  colour_out_ = is_coloured(colour, STDOUT_FILENO);
  colour_err_ = is_coloured(colour, STDERR_FILENO);
}

void Console::begin() {
  if (begun_) return;
  begun_ = true;
  test_line("RUNNING");
  for (const auto& [severity, text] : held_) write(severity, text);
  held_.clear();
}

void Console::report(const Error& error) const {
  log::error("{}", error.sentence());
  for (const std::string& place : error.context()) log::error("  while {}", place);
}

void Console::take(log::Severity severity, std::string_view text) {
  if (begun_)
    write(severity, text);
  else
    held_.emplace_back(severity, text);
}

void Console::write(log::Severity severity, std::string_view text) const {
  if (severity < least_) return;
  const bool to_stderr = severity >= log::Severity::Warning || stdout_is_data_;
  std::FILE* const stream = to_stderr ? stderr : stdout;
  if (format_ == LogFormat::Json) return put(stream, json_line(level_of(severity), text));
  const std::string_view colour =
      (to_stderr ? colour_err_ : colour_out_) ? colour_of(severity) : "";
  put(stream, format("[{}] {}[{}] {}{}\n", time_stamp(), colour, log::letter(severity), text,
                     colour.empty() ? "" : "\033[0m"));
}

void Console::test_line(std::string_view word) const {
  const char* name = persona_ == Persona::Trtexec ? "TensorRT.trtexec [TensorRT v8601]"
                                                  : "dlaexec [v" DLAEXEC_VERSION "]";
  const std::string line = format("&&&& {} {} # {}", word, name, join(command_, " "));
  put(stdout_is_data_ ? stderr : stdout,
      format_ == LogFormat::Json ? json_line("info", line) : line + "\n");
}

void Console::print(std::string_view text) const { put(stdout, text); }

}  // namespace dlaexec::cli
