#include "settings.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/log.h"
#include "config.h"
#include "value.h"

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
  if (argument == "-q") return {"quiet", "", false};
  if (!argument.starts_with("--") || argument.size() == 2) return {};
  const size_t equals = argument.find('=');
  if (equals == std::string::npos) return {argument.substr(2), "", false};
  return {argument.substr(2, equals - 2), argument.substr(equals + 1), true};
}

/// The flag that somebody wants who gives it behind one dash, or behind the long ones that pages
/// and word processors make of two.
std::string meant_by_dashes(std::string_view argument) {
  for (const std::string_view dash : {"-", "\u2013", "\u2014"}) {
    if (!argument.starts_with(dash)) continue;
    const std::string written = format("--{}", argument.substr(dash.size()));
    if (find_flag(split(written).name)) return format(", did you mean {}?", written);
  }
  return "";
}

/// What somebody wants who gives no flag: a file alone, or something like one.
std::string meant_by(const std::string& argument) {
  constexpr std::pair<std::string_view, Flag> kEndings[] = {
      {".onnx", Flag::onnx},      {".plan", Flag::loadEngine}, {".engine", Flag::loadEngine},
      {".trt", Flag::loadEngine}, {".dla", Flag::runLoadable}, {".json", Flag::config},
      {".toml", Flag::config}};
  const std::string dashed = meant_by_dashes(argument);
  if (!dashed.empty()) return dashed;
  for (const auto& [ending, flag] : kEndings)
    if (argument.ends_with(ending))
      return format(", did you mean {}={}?", spelling(flag), argument);
  return "";
}

bool takes_value(Kind kind) {
  return kind != Kind::Switch && kind != Kind::Topic && kind != Kind::Report;
}

bool known_to(Dialect dialect, int since, int until) {
  if (dialect == Dialect::Union || since == kOwn) return true;
  return since <= release(dialect) && release(dialect) <= until;
}

/// The value that the last --@p name has; flags that decide how all others are read are looked up
/// first.
std::optional<std::string> value_of(const std::vector<std::string>& arguments,
                                    const std::vector<ConfigEntry>& environment,
                                    std::string_view name) {
  std::optional<std::string> value;
  for (const ConfigEntry& entry : environment)
    if (entry.name == name) value = entry.value;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Split part = split(arguments[i]);
    if (part.name != name) continue;
    value = part.has_value ? part.value : i + 1 < arguments.size() ? arguments[i + 1] : "";
  }
  return value;
}

Dialect dialect_of(const std::vector<std::string>& arguments,
                   const std::vector<ConfigEntry>& environment) {
  const std::optional<std::string> value = value_of(arguments, environment, "compat");
  if (!value) return Dialect::Union;
  for (const auto& known : kDialects)
    if (known.name == *value) return known.dialect;
  fail(Fault::Usage, "--compat is '{}'; give one of 8.6, 10.3, 10.16, 11.1", *value);
}

/// What --help and its companions are among @p arguments, none without --help: beside a question
/// for help nothing else is looked at.
std::vector<std::string> about_help(const std::vector<std::string>& arguments) {
  std::vector<std::string> asked;
  bool helps = false;
  for (const std::string& argument : arguments) {
    const std::string name = split(argument).name;
    helps |= name == "help";
    if (name == "help" || argument == "--json") asked.push_back(argument);
  }
  return helps ? asked : std::vector<std::string>();
}

/// Turns arguments into settings, one after the other.
class Reader {
 public:
  Reader(std::vector<std::string> arguments, std::vector<ConfigEntry> environment)
      : arguments_(std::move(arguments)),
        environment_(std::move(environment)),
        settings_(dialect_of(arguments_, environment_)) {}

  Settings read() {
    read_file_of_flags();
    in_context([] { return std::string("reading the environment's DLAEXEC_ variables"); },
               [&] {
                 for (const ConfigEntry& entry : environment_) take(entry, Source::Environment);
               });
    while (next_ < arguments_.size()) read_one();
    if (!unknown_.empty()) fail(Fault::Usage, "{}; --help lists every flag", unknown_);
    return std::move(settings_);
  }

 private:
  bool strict() const { return settings_.dialect() == Dialect::Union; }

  /// The flags of --config, which those of the command line override.
  void read_file_of_flags() {
    const std::optional<std::string> path = value_of(arguments_, environment_, "config");
    if (!path) return;
    in_context([&] { return format("reading --config={}", *path); },
               [&] {
                 for (const ConfigEntry& entry : read_config(*path)) take(entry, Source::File);
               });
  }

  /// One flag of a file or of the environment.
  void take(const ConfigEntry& entry, Source source) {
    const std::optional<Found> found = find_flag(entry.name);
    if (!found || !is_known(*found)) fail(Fault::Usage, "{}", describe_unknown(entry.name, found));
    const FlagInfo& flag = info(found->flag);
    refuse_or_warn(flag, entry.name, found->alias);
    if (settings_.source(flag.flag) < source) settings_.forget(flag.flag);
    settings_.add({flag.flag, checked_value(flag, entry.value, Leniency::OwnForm), source});
  }

  void read_one() {
    const std::string& argument = arguments_[next_++];
    const Split part = split(argument);
    if (part.name.empty()) {
      note_unknown(format("unexpected argument '{}'{}", argument, meant_by(argument)));
      return;
    }
    const std::optional<Found> found = find_flag(part.name);
    if (!found || !is_known(*found)) {
      note_unknown(describe_unknown(part.name, found));
      return;
    }
    const FlagInfo& flag = info(found->flag);
    std::string value = take_value(flag, part);
    refuse_or_warn(flag, part.name, found->alias);
    if (value.empty() && takes_value(flag.kind)) {
      if (flag.group == Group::Gates)
        fail(
            Fault::Usage,
            "--{} is empty, and a gate that tests nothing would pass; give --{}={} or leave it out",
            part.name, flag.name, flag.value);
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

  void refuse_or_warn(const FlagInfo& flag, const std::string& name, const Alias* alias) const {
    if (flag.effect == Effect::Refused)
      fail(Fault::Usage, "--{} is not supported: {}", name, flag.note);
    if (alias && alias->style == Style::Old)
      log::warning("--{} is an old name of {}", name, spelling(alias->target));
    if (flag.effect == Effect::Old) log::warning("--{} is an old name of {}", name, flag.note);
    if (flag.effect == Effect::Ignored)
      log::warning("--{} has no effect here: {}", name, flag.note);
  }

  void store(const FlagInfo& flag, std::string value) {
    value = checked_value(flag, value, strict() ? Leniency::Strict : Leniency::AsTrtexec);
    if (settings_.source(flag.flag) != Source::CommandLine) settings_.forget(flag.flag);
    if (settings_.given(flag.flag) && !may_repeat(flag)) repeat(flag, value);
    settings_.add({flag.flag, std::move(value), Source::CommandLine});
  }

  /// A flag that belongs to a group may stand once behind each start of one.
  bool may_repeat(const FlagInfo& flag) const {
    if (flag.kind == Kind::Texts || starts_group(flag.flag)) return true;
    const std::optional<Flag> starter = starter_of(flag.flag);
    if (!starter) return false;
    const std::vector<Given>& given = settings_.in_order();
    const auto last = std::find_if(given.rbegin(), given.rend(), [&](const Given& g) {
      return g.flag == flag.flag || g.flag == *starter;
    });
    return last != given.rend() && last->flag == *starter;
  }

  void repeat(const FlagInfo& flag, const std::string& value) const {
    const std::optional<Flag> starter = starter_of(flag.flag);
    if (starter)
      fail(Fault::Usage, "--{} is given twice; give it once, or once behind each {}=I", flag.name,
           spelling(*starter));
    if (!strict()) fail(Fault::Usage, "--{} is given twice; give it once", flag.name);
    if (flag.kind != Kind::Switch)
      log::warning("--{} is given twice: the later one, {}, holds", flag.name, value);
  }

  const std::vector<std::string> arguments_;
  const std::vector<ConfigEntry> environment_;
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

std::string full_name(Dialect dialect) {
  const int number = release(dialect);
  return format("{}.{}.{}", number / 100, number % 100, number == 806 ? 1 : 0);
}

bool Settings::on(Flag flag) const { return text(flag) == "true"; }

std::string Settings::text(Flag flag) const {
  return given(flag) ? values(flag).back() : std::string(standard(flag, release(dialect_)));
}

int64_t Settings::integer(Flag flag) const { return std::strtoll(text(flag).c_str(), nullptr, 10); }

double Settings::real(Flag flag) const { return std::strtod(text(flag).c_str(), nullptr); }

void Settings::add(Given given) {
  values_[static_cast<size_t>(given.flag)].push_back(given.value);
  in_order_.push_back(std::move(given));
}

void Settings::forget(Flag flag) {
  values_[static_cast<size_t>(flag)].clear();
  std::erase_if(in_order_, [&](const Given& given) { return given.flag == flag; });
}

Source Settings::source(Flag flag) const {
  for (const Given& given : in_order_)
    if (given.flag == flag) return given.source;
  return Source::Table;
}

std::map<int64_t, std::string> Settings::by_group(Flag flag) const {
  const std::optional<Flag> starter = starter_of(flag);
  DLAEXEC_CHECK(starter);
  std::map<int64_t, std::string> groups;
  int64_t group = 0;
  for (const Given& given : in_order_) {
    if (given.flag == *starter) group = std::strtoll(given.value.c_str(), nullptr, 10);
    if (given.flag != flag) continue;
    if (!groups.emplace(group, given.value).second)
      fail(Fault::Usage, "{} is given twice for {}={}; give each number once", spelling(flag),
           spelling(*starter), group);
  }
  return groups;
}

Settings parse_arguments(const std::vector<std::string>& arguments,
                         const std::vector<ConfigEntry>& environment) {
  const std::vector<std::string> help = about_help(arguments);
  return help.empty() ? Reader(arguments, environment).read() : Reader(help, {}).read();
}

}  // namespace dlaexec::cli
