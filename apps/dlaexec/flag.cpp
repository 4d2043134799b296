#include "flag.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace dlaexec::cli {
namespace {

/// A C++ keyword is spelled with an underscore behind it in the table.
constexpr std::string_view without_underscore(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

constexpr FlagInfo kFlags[] = {
#define DLAEXEC_FLAG(name, kind, value, standard, group, since, until, effect, help, note) \
  {Flag::name,                                                                             \
   without_underscore(#name),                                                              \
   Kind::kind,                                                                             \
   value,                                                                                  \
   standard,                                                                               \
   Group::group,                                                                           \
   since,                                                                                  \
   until,                                                                                  \
   Effect::effect,                                                                         \
   help,                                                                                   \
   note},
#include "flags.def"
};

constexpr Alias kAliases[] = {
#define DLAEXEC_ALIAS(name, target, since, until, style) \
  {#name, Flag::target, since, until, Style::style},
#include "flags.def"
};

/// A default that a later release changed.
struct LaterDefault {
  Flag flag;
  int since;
  std::string_view value;
};
constexpr LaterDefault kLaterDefaults[] = {
#define DLAEXEC_DEFAULT(flag, since, value) {Flag::flag, since, value},
#include "flags.def"
};

/// Flags that may be repeated behind each start of a group.
struct Member {
  Flag flag, starter;
};
constexpr Member kMembers[] = {{Flag::minShapes, Flag::profile},
                               {Flag::optShapes, Flag::profile},
                               {Flag::maxShapes, Flag::profile},
                               {Flag::loadInputs, Flag::refPair},
                               {Flag::loadRefOutputs, Flag::refPair}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// Edits (insert, delete, replace, swap of neighbours) that lead from one text to the other.
int edit_distance(const std::string& from, const std::string& to) {
  const size_t width = to.size() + 1;
  std::vector<int> rows((from.size() + 1) * width);
  const auto at = [&](size_t i, size_t j) -> int& { return rows[i * width + j]; };
  for (size_t i = 0; i <= from.size(); ++i) at(i, 0) = static_cast<int>(i);
  for (size_t j = 0; j <= to.size(); ++j) at(0, j) = static_cast<int>(j);
  for (size_t i = 1; i <= from.size(); ++i)
    for (size_t j = 1; j <= to.size(); ++j) {
      const int replaced = at(i - 1, j - 1) + (from[i - 1] != to[j - 1]);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  return at(from.size(), to.size());
}

}  // namespace

std::string_view standard(Flag flag, int release) {
  for (const LaterDefault& later : kLaterDefaults)
    if (later.flag == flag && later.since <= release) return later.value;
  return info(flag).standard;
}

std::optional<Flag> starter_of(Flag flag) {
  for (const Member& member : kMembers)
    if (member.flag == flag) return member.starter;
  return std::nullopt;
}

bool starts_group(Flag flag) { return flag == Flag::profile || flag == Flag::refPair; }

std::span<const FlagInfo> all_flags() { return kFlags; }
std::span<const Alias> all_aliases() { return kAliases; }
const FlagInfo& info(Flag flag) { return kFlags[static_cast<size_t>(flag)]; }
std::string spelling(Flag flag) { return "--" + std::string(info(flag).name); }

std::optional<Found> find_flag(std::string_view name) {
  for (const FlagInfo& flag : kFlags)
    if (flag.name == name) return Found{flag.flag};
  for (const Alias& alias : kAliases)
    if (alias.name == name) return Found{alias.target, &alias};
  return std::nullopt;
}

std::optional<std::string> nearest_flag(std::string_view name) {
  const std::string wanted = lower(name);
  int least = std::max(1, static_cast<int>(wanted.size()) / 3) + 1;
  std::optional<std::string> nearest;
  const auto consider = [&](std::string_view known) {
    const int distance = edit_distance(wanted, lower(known));
    if (distance >= least) return;
    least = distance;
    nearest = "--" + std::string(known);
  };
  for (const FlagInfo& flag : kFlags)
    if (flag.effect != Effect::Refused) consider(flag.name);
  for (const Alias& alias : kAliases) consider(alias.name);
  return nearest;
}

std::string_view title(Group group) {
  constexpr std::string_view kTitles[] = {"model",     "build", "dla",   "inference",
                                          "reporting", "gates", "system"};
  return kTitles[static_cast<size_t>(group)];
}

std::string_view title(Kind kind) {
  constexpr std::string_view kTitles[] = {"switch",
                                          "text",
                                          "texts",
                                          "list",
                                          "shapes",
                                          "file",
                                          "output file",
                                          "choice",
                                          "integer",
                                          "natural",
                                          "count",
                                          "number",
                                          "non-negative",
                                          "level",
                                          "device",
                                          "topic",
                                          "optional output file"};
  return kTitles[static_cast<size_t>(kind)];
}

std::string_view title(Effect effect) {
  constexpr std::string_view kTitles[] = {"works", "works, old name", "accepted, no effect here",
                                          "refused"};
  return kTitles[static_cast<size_t>(effect)];
}

std::optional<Group> find_group(std::string_view name) {
  for (const Group group : kGroups)
    if (title(group) == lower(name)) return group;
  return std::nullopt;
}

bool is_choice(const FlagInfo& info, std::string_view word) {
  std::string_view rest = info.value;
  while (true) {
    const size_t bar = rest.find('|');
    if (rest.substr(0, bar) == word) return true;
    if (bar == std::string_view::npos) return false;
    rest.remove_prefix(bar + 1);
  }
}

}  // namespace dlaexec::cli
