#include "console.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/log_voice.h"
#include "base/printable.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_coloured(Colour colour, int descriptor) {
  if (colour != Colour::Auto) return colour == Colour::Always;
  if (is_set("NO_COLOR") || !has_escapes()) return false;
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

std::string json_line(std::string_view level, Console::Stage stage, std::string_view text) {
  constexpr std::string_view kPhases[] = {"options", "parsing",    "building",
                                          "loading", "setting up", "inferring"};
  return format("{{\"ts\":\"{}\",\"level\":\"{}\",\"phase\":\"{}\",\"msg\":{}}}\n",
                universal_time(), level, kPhases[static_cast<size_t>(stage)],
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

/// What trtexec says below the cause of a failure.
std::vector<std::string_view> consequences(Console::Stage stage) {
  constexpr std::string_view kNoEngine = "Failed to create engine from model or file.";
  constexpr std::string_view kNoSetUp = "Engine set up failed";
  switch (stage) {
    case Console::Stage::Options:
      return {};
    case Console::Stage::Parsing:
      return {"Failed to parse onnx file", "Parsing model failed", kNoEngine, kNoSetUp};
    case Console::Stage::Building:
      return {"Engine could not be created from network", "Building engine failed", kNoEngine,
              kNoSetUp};
    case Console::Stage::Loading:
      return {kNoEngine, kNoSetUp};
    case Console::Stage::SettingUp:
      return {"Inference set up failed"};
    case Console::Stage::Inferring:
      return {"Error occurred during inference"};
  }
  __builtin_unreachable();
}

/// TensorRT's number of a release in its test lines.
std::string_view version_of(int release) {
  if (release >= 1101) return "v110100";
  if (release >= 1016) return "v101600";
  return release >= 1000 ? "v100300" : "v8601";
}

/// @p text, which may list layers on lines of their own, fit for a terminal.
std::string printable_lines(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return printable(text);
  return printable(text.substr(0, end)) + '\n' + printable_lines(text.substr(end + 1));
}

}  // namespace

bool has_escapes() {
  const char* terminal = std::getenv("TERM");
  return terminal == nullptr || std::string_view(terminal) != "dumb";
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
  log::error("{}", printable_lines(error.sentence()));
  for (const std::string& place : error.context()) log::error("  while {}", printable(place));
  if (persona_ != Persona::Trtexec) return;
  for (const std::string_view line : consequences(stage_)) log::error("{}", line);
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
  if (format_ == LogFormat::Json)
    return put(to_stderr, json_line(level_of(severity), stage_, text));
  const std::string_view colour =
      (to_stderr ? colour_err_ : colour_out_) ? colour_of(severity) : "";
  put(to_stderr, format("[{}] {}[{}] {}{}{}\n", time_stamp(), colour, log::letter(severity),
                        log::voice() == log::Voice::Library ? "[TRT] " : "", text,
                        colour.empty() ? "" : "\033[0m"));
}

void Console::test_line(std::string_view word) const {
  const std::string line = test_line_text(word);
  put(stdout_is_data_, format_ == LogFormat::Json ? json_line("info", stage_, line) : line + "\n");
}

std::string Console::test_line_text(std::string_view word) const {
  const std::string name = persona_ == Persona::Trtexec
                               ? format("TensorRT.trtexec [TensorRT {}]", version_of(release_))
                               : "dlaexec [v" DLAEXEC_VERSION "]";
  return format("&&&& {} {} # {}", word, name, join(command_, " "));
}

void Console::print(std::string_view text) const { put(false, text); }

void Console::put(bool to_stderr, std::string_view text) const {
  std::unique_lock<std::mutex> erased;
  if (progress_) erased = progress_->erased();
  std::FILE* const stream = to_stderr ? stderr : stdout;
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  // Flushed, so that lines of both streams keep their order when they are merged.
  const bool flushed = std::fflush(stream) == 0;
  if (!to_stderr && !(written && flushed) && write_error_ == 0) write_error_ = errno;
}

std::string Console::write_failure() const {
  return write_error_ == 0 ? "" : std::strerror(write_error_);
}

}  // namespace dlaexec::cli
