#include "settings.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace dlaexec::cli {
namespace {

constexpr struct {
  Dialect dialect;
  std::string_view name;
  int release;
} kDialects[] = {{Dialect::Release8_6, "8.6", 806},
                 {Dialect::Release10_3, "10.3", 1003},
                 {Dialect::Release10_16, "10.16", 1016},
                 {Dialect::Release11_1, "11.1", 1101}};

/// An argument split at its first '='.
struct Split {
  std::string name;  ///< without dashes; empty when the argument is no flag
  std::string value;
  bool has_value = false;
};

Split split(const std::string& argument) {
  if (argument == "-h") return {"help", "", false};
  if (argument == "-v") return {"verbose", "", false};
  if (!argument.starts_with("--") || argument.size() == 2) return {};
  const size_t equals = argument.find('=');
  if (equals == std::string::npos) return {argument.substr(2), "", false};
  return {argument.substr(2, equals - 2), argument.substr(equals + 1), true};
}

bool takes_value(Kind kind) {
  return kind != Kind::Switch && kind != Kind::Topic && kind != Kind::Report;
}

bool known_to(Dialect dialect, int since, int until) {
  if (dialect == Dialect::Union || since == kOwn) return true;
  return since <= release(dialect) && release(dialect) <= until;
}

Dialect dialect_of(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Split part = split(arguments[i]);
    if (part.name != "compat") continue;
    const std::string value = part.has_value             ? part.value
                              : i + 1 < arguments.size() ? arguments[i + 1]
                                                         : "";
    for (const auto& known : kDialects)
      if (known.name == value) return known.dialect;
    fail(Fault::Usage, "--compat is '{}'; give one of 8.6, 10.3, 10.16, 11.1", value);
  }
  return Dialect::Union;
}

/// Turns arguments into settings, one after the other.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& arguments)
      : arguments_(arguments), settings_(dialect_of(arguments)) {}

  Settings read() {
    while (next_ < arguments_.size()) read_one();
    if (!unknown_.empty()) fail(Fault::Usage, "{}; --help lists every flag", unknown_);
    return std::move(settings_);
  }

 private:
  bool strict() const { return settings_.dialect() == Dialect::Union; }

  void read_one() {
    const std::string& argument = arguments_[next_++];
    const Split part = split(argument);
    if (part.name.empty()) {
      note_unknown(format("unexpected argument '{}'", argument));
      return;
    }
    const std::optional<Found> found = find_flag(part.name);
    if (!found || !is_known(*found)) {
      note_unknown(describe_unknown(part.name, found));
      return;
    }
    const FlagInfo& flag = info(found->flag);
    std::string value = take_value(flag, part);
    if (flag.effect == Effect::Refused)
      fail(Fault::Usage, "--{} is not supported: {}", part.name, flag.note);
    warn(flag, part.name, found->alias);
    if (value.empty() && takes_value(flag.kind)) {
      log::warning("--{} has an empty value: taken as not given", part.name);
      return;
    }
    store(flag, std::move(value));
  }

  bool is_known(const Found& found) const {
    const FlagInfo& flag = info(found.flag);
    return found.alias ? known_to(settings_.dialect(), found.alias->since, found.alias->until)
                       : known_to(settings_.dialect(), flag.since, flag.until);
  }

  std::string describe_unknown(const std::string& name, const std::optional<Found>& found) const {
    if (found) return format("trtexec {} does not know --{}", release_name(), name);
    const auto nearest = nearest_flag(name);
    if (!nearest) return format("unknown flag --{}", name);
    return format("unknown flag --{}, did you mean {}?", name, *nearest);
  }

  std::string_view release_name() const {
    for (const auto& known : kDialects)
      if (known.dialect == settings_.dialect()) return known.name;
    return "";
  }

  void note_unknown(const std::string& text) {
    if (!unknown_.empty()) unknown_ += "; ";
    unknown_ += text;
  }

  std::string take_value(const FlagInfo& flag, const Split& part) {
    if (part.has_value) return part.value;
    if (!takes_value(flag.kind)) return "";
    if (next_ < arguments_.size() && split(arguments_[next_]).name.empty())
      return arguments_[next_++];
    fail(Fault::Usage, "--{} needs a value: --{}={}", part.name, part.name, flag.value);
  }

  void warn(const FlagInfo& flag, const std::string& name, const Alias* alias) const {
    if (alias && alias->style == Style::Old)
      log::warning("--{} is an old name of {}", name, spelling(alias->target));
    if (flag.effect == Effect::Old) log::warning("--{} is an old name of {}", name, flag.note);
    if (flag.effect == Effect::Ignored)
      log::warning("--{} has no effect here: {}", name, flag.note);
  }

  void store(const FlagInfo& flag, std::string value) {
    switch (flag.kind) {
      case Kind::Switch:
        value = read_switch(flag, value) ? "true" : "false";
        break;
      case Kind::Choice:
        if (!is_choice(flag, value))
          fail(Fault::Usage, "--{} is '{}'; give one of {}", flag.name, value, flag.value);
        break;
      case Kind::Int:
      case Kind::Natural:
      case Kind::Count:
      case Kind::Level:
        value = format("{}", read_integer(flag, value));
        break;
      case Kind::Device:
        if (value != "cpu") value = format("{}", read_integer(flag, value));
        break;
      case Kind::Real:
      case Kind::NonNegative:
        check_real(flag, value);
        break;
      case Kind::List:
      case Kind::Shapes:
        value = read_list(flag, value);
        break;
      case Kind::Text:
      case Kind::Texts:
      case Kind::File:
      case Kind::OutFile:
      case Kind::Topic:
      case Kind::Report:
        break;
    }
    if (flag.kind != Kind::Texts && settings_.given(flag.flag)) repeat(flag, value);
    settings_.add(flag.flag, std::move(value));
  }

  void repeat(const FlagInfo& flag, const std::string& value) const {
    if (!strict()) fail(Fault::Usage, "--{} is given twice; give it once", flag.name);
    if (flag.kind != Kind::Switch)
      log::warning("--{} is given twice: the later one, {}, holds", flag.name, value);
  }

  bool read_switch(const FlagInfo& flag, const std::string& value) const {
    constexpr std::string_view kTrue[] = {"", "true", "1", "on", "yes"};
    constexpr std::string_view kFalse[] = {"false", "0", "off", "no"};
    if (!strict()) return true;  // any value counts as giving the flag
    if (std::count(std::begin(kTrue), std::end(kTrue), value)) return true;
    if (!std::count(std::begin(kFalse), std::end(kFalse), value))
      fail(Fault::Usage, "--{} is '{}'; give true or false, or the flag alone", flag.name, value);
    log::warning("--{}={} switches it off; trtexec would switch it on", flag.name, value);
    return false;
  }

  int64_t read_integer(const FlagInfo& flag, const std::string& value) const {
    char* end = nullptr;
    errno = 0;
    const long long number = std::strtoll(value.c_str(), &end, 10);
    check_number(flag, value, end);
    const int64_t least = flag.kind == Kind::Count ? 1 : flag.kind == Kind::Int ? INT64_MIN : 0;
    if (number < least) fail(Fault::Usage, "--{} is {}; give {} or more", flag.name, number, least);
    if (flag.kind == Kind::Level && number > 5)
      fail(Fault::Usage, "--{} is {}; give 0 to 5", flag.name, number);
    return number;
  }

  void check_real(const FlagInfo& flag, std::string& value) const {
    char* end = nullptr;
    errno = 0;
    const double number = std::strtod(value.c_str(), &end);
    check_number(flag, value, end);
    if (!std::isfinite(number))
      fail(Fault::Usage, "--{} is {}; give a finite number", flag.name, value);
    if (flag.kind == Kind::NonNegative && number < 0)
      fail(Fault::Usage, "--{} is {}; give 0 or more", flag.name, value);
    value.resize(static_cast<size_t>(end - value.c_str()));
  }

  /// trtexec ignores what stands behind a number; so do we under --compat alone, because "10ms" for
  /// seconds and "1.5" for a count mislead silently.
  void check_number(const FlagInfo& flag, const std::string& value, const char* end) const {
    if (end == value.c_str())
      fail(Fault::Usage, "--{} is '{}'; give a number: --{}={}", flag.name, value, flag.name,
           flag.value);
    if (errno == ERANGE) fail(Fault::Usage, "--{} is {}, which is too large", flag.name, value);
    if (*end != '\0' && strict())
      fail(Fault::Usage, "--{} is '{}', a number with '{}' behind it; give the number alone",
           flag.name, value, end);
  }

  /// "@FILE" is the file's content, line breaks being commas.
  std::string read_list(const FlagInfo& flag, std::string value) const {
    if (!strict() || !value.starts_with('@')) return value;
    value = in_context([&] { return format("reading the list of --{}", flag.name); },
                       [&] { return read_file(value.substr(1)); });
    std::string list;
    for (const char c : value) {
      if (c == '\r') continue;
      if (c != '\n') list += c;
      if (c == '\n' && !list.empty() && list.back() != ',') list += ',';
    }
    if (list.ends_with(',')) list.pop_back();
    return list;
  }

  const std::vector<std::string>& arguments_;
  size_t next_ = 0;
  Settings settings_;
  std::string unknown_;
};

}  // namespace

int release(Dialect dialect) {
  for (const auto& known : kDialects)
    if (known.dialect == dialect) return known.release;
  return 806;
}

bool Settings::on(Flag flag) const { return given(flag) && values(flag).back() == "true"; }

std::string Settings::text(Flag flag) const {
  return given(flag) ? values(flag).back() : std::string(info(flag).standard);
}

int64_t Settings::integer(Flag flag) const { return std::strtoll(text(flag).c_str(), nullptr, 10); }

double Settings::real(Flag flag) const { return std::strtod(text(flag).c_str(), nullptr); }

void Settings::add(Flag flag, std::string value) {
  values_[static_cast<size_t>(flag)].push_back(value);
  in_order_.push_back({flag, std::move(value)});
}

Settings parse_arguments(const std::vector<std::string>& arguments) {
  return Reader(arguments).read();
}

}  // namespace dlaexec::cli
