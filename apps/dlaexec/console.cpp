#include "console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace dlaexec::cli {
namespace {

bool is_coloured(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  return (refused == nullptr || *refused == '\0') && ::isatty(descriptor) != 0;
}

std::string time_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof text, "%m/%d/%Y-%H:%M:%S", &local);
  return text;
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
    : command_(std::move(command)),
      persona_(persona_of(command_.empty() ? "" : command_.front())),
      colour_out_(is_coloured(STDOUT_FILENO)),
      colour_err_(is_coloured(STDERR_FILENO)) {
  before_ = log::set_sink(
      [this](log::Severity severity, std::string_view text) { take(severity, text); });
}

Console::~Console() { log::set_sink(std::move(before_)); }

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
  if (severity == log::Severity::Verbose && !verbose_) return;
  const bool to_stderr = severity >= log::Severity::Warning || stdout_is_data_;
  const std::string_view colour =
      (to_stderr ? colour_err_ : colour_out_) ? colour_of(severity) : "";
  put(to_stderr ? stderr : stdout,
      format("[{}] {}[{}] {}{}\n", time_stamp(), colour, log::letter(severity), text,
             colour.empty() ? "" : "\033[0m"));
}

void Console::test_line(std::string_view word) const {
  const char* name = persona_ == Persona::Trtexec ? "TensorRT.trtexec [TensorRT v8601]"
                                                  : "dlaexec [v" DLAEXEC_VERSION "]";
  put(stdout_is_data_ ? stderr : stdout,
      format("&&&& {} {} # {}\n", word, name, join(command_, " ")));
}

void Console::print(std::string_view text) const { put(stdout, text); }

}  // namespace dlaexec::cli
