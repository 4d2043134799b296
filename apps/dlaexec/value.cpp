#include "value.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace dlaexec::cli {
namespace {

bool read_switch(const FlagInfo& flag, const std::string& value, Leniency leniency) {
  constexpr std::string_view kTrue[] = {"", "true", "1", "on", "yes"};
  constexpr std::string_view kFalse[] = {"false", "0", "off", "no"};
  if (leniency == Leniency::AsTrtexec) return true;
  if (std::count(std::begin(kTrue), std::end(kTrue), value)) return true;
  if (!std::count(std::begin(kFalse), std::end(kFalse), value))
    fail(Fault::Usage, "--{} is '{}'; give true or false, or the flag alone", flag.name, value);
  if (leniency == Leniency::Strict)
    log::warning("--{}={} switches it off; trtexec would switch it on", flag.name, value);
  return false;
}

/// trtexec ignores what stands behind a number; so do we under --compat alone, because "10ms" for
/// seconds and "1.5" for a count mislead silently.
void check_number(const FlagInfo& flag, const std::string& value, const char* end,
                  Leniency leniency) {
  if (end == value.c_str())
    fail(Fault::Usage, "--{} is '{}'; give a number: --{}={}", flag.name, value, flag.name,
         flag.value);
  if (errno == ERANGE) fail(Fault::Usage, "--{} is {}, which is too large", flag.name, value);
  if (*end != '\0' && leniency != Leniency::AsTrtexec)
    fail(Fault::Usage, "--{} is '{}', a number with '{}' behind it; give the number alone",
         flag.name, value, end);
}

int64_t read_integer(const FlagInfo& flag, const std::string& value, Leniency leniency) {
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(value.c_str(), &end, 10);
  check_number(flag, value, end, leniency);
  const int64_t least = flag.kind == Kind::Count ? 1 : flag.kind == Kind::Int ? INT64_MIN : 0;
  if (number < least) fail(Fault::Usage, "--{} is {}; give {} or more", flag.name, number, least);
  if (flag.kind == Kind::Level && number > 5)
    fail(Fault::Usage, "--{} is {}; give 0 to 5", flag.name, number);
  return number;
}

std::string read_real(const FlagInfo& flag, const std::string& value, Leniency leniency) {
  char* end = nullptr;
  errno = 0;
  const double number = std::strtod(value.c_str(), &end);
  check_number(flag, value, end, leniency);
  if (!std::isfinite(number))
    fail(Fault::Usage, "--{} is {}; give a finite number", flag.name, value);
  if (flag.kind == Kind::NonNegative && number < 0)
    fail(Fault::Usage, "--{} is {}; give 0 or more", flag.name, value);
  return value.substr(0, static_cast<size_t>(end - value.c_str()));
}

std::string read_choice(const FlagInfo& flag, std::string value) {
  if (flag.flag == Flag::hardwareCompatibilityLevel && value.starts_with('A'))
    for (char& c : value) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!is_choice(flag, value))
    fail(Fault::Usage, "--{} is '{}'; give one of {}", flag.name, value, flag.value);
  return value;
}

/// "@FILE" is the file's content, line breaks being commas.
std::string read_list(const FlagInfo& flag, const std::string& value, Leniency leniency) {
  if (leniency == Leniency::AsTrtexec || !value.starts_with('@')) return value;
  const std::string text = in_context([&] { return format("reading the list of --{}", flag.name); },
                                      [&] { return read_file(value.substr(1)); });
  std::string list;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c != '\n') list += c;
    if (c == '\n' && !list.empty() && list.back() != ',') list += ',';
  }
  if (list.ends_with(',')) list.pop_back();
  return list;
}

}  // namespace

std::string checked_value(const FlagInfo& flag, const std::string& value, Leniency leniency) {
  switch (flag.kind) {
    case Kind::Switch:
      return read_switch(flag, value, leniency) ? "true" : "false";
    case Kind::Choice:
      return read_choice(flag, value);
    case Kind::Int:
    case Kind::Natural:
    case Kind::Count:
    case Kind::Level:
      return format("{}", read_integer(flag, value, leniency));
    case Kind::Device:
      if (value == "cpu") return value;
      return format("{}", read_integer(flag, value, leniency));
    case Kind::Real:
    case Kind::NonNegative:
      return read_real(flag, value, leniency);
    case Kind::List:
    case Kind::Shapes:
      return read_list(flag, value, leniency);
    case Kind::Text:
    case Kind::Texts:
    case Kind::File:
    case Kind::OutFile:
    case Kind::Topic:
    case Kind::Report:
      return value;
  }
  __builtin_unreachable();
}

}  // namespace dlaexec::cli
