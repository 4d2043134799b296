#include "help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "environment.h"
#include "flag.h"

namespace dlaexec::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kColumn = 34;  // where the explanations start
constexpr size_t kWidth = 100;  // where nobody says how wide the terminal is

/// The terminal's columns, or those of $COLUMNS, as far as text looks well in them.
size_t width() {
  constexpr size_t kLeast = 60;
  winsize size{};
  size_t columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  if (const char* wished = std::getenv("COLUMNS"); columns == 0 && wished != nullptr)
    columns = std::strtoul(wished, nullptr, 10);
  return columns == 0 ? kWidth : std::clamp(columns, kLeast, kWidth);
}

/// Appends @p text, broken at blanks; the line is at @p column already and later ones start there.
void append_wrapped(std::string& page, std::string_view text, size_t column = kColumn) {
  const size_t most = width();
  size_t used = column;
  bool first = true;
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    if (!first && used + 1 + blank > most) {
      page += "\n" + std::string(column, ' ');
      used = column;
    } else if (!first) {
      page += ' ';
      ++used;
    }
    page += text.substr(0, blank);
    used += blank;
    first = false;
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  page += '\n';
}

/// A headline and words below it.
void append_names(std::string& page, std::string_view headline, std::string_view names) {
  constexpr size_t kIndent = 2;
  page += format("{}\n{}", headline, std::string(kIndent, ' '));
  append_wrapped(page, names, kIndent);
}

std::string release_text(int release) { return format("{}.{}", release / 100, release % 100); }

std::string with_value(const FlagInfo& flag) {
  std::string text = "  --" + std::string(flag.name);
  if (flag.kind == Kind::Topic || flag.kind == Kind::Report)
    return text + "[=" + std::string(flag.value) + "]";
  if (flag.kind != Kind::Switch) text += "=" + std::string(flag.value);
  return text;
}

std::string explanation(const FlagInfo& flag) {
  std::string text(flag.help);
  if (!flag.standard.empty()) text += format(" (default {})", flag.standard);
  if (flag.effect == Effect::Old) text += format("; old name of {}", flag.note);
  if (flag.effect == Effect::Ignored) text += format("; no effect here: {}", flag.note);
  if (flag.effect == Effect::Refused) text += format("; refused: {}", flag.note);
  return text;
}

void append_flag(std::string& page, const FlagInfo& flag) {
  std::string left = with_value(flag);
  if (left.size() + 1 > kColumn)
    page += left + "\n" + std::string(kColumn, ' ');
  else
    page += left + std::string(kColumn - left.size(), ' ');
  append_wrapped(page, explanation(flag));
}

bool is_shown(const FlagInfo& flag) { return flag.effect <= Effect::Old; }

std::string group_page(Group group, bool all) {
  std::string page = format("{}:\n", title(group));
  for (const FlagInfo& flag : all_flags())
    if (flag.group == group && (all || is_shown(flag))) append_flag(page, flag);
  return page;
}

std::string names_with(Effect effect) {
  std::string names;
  for (const FlagInfo& flag : all_flags())
    if (flag.effect == effect) names += format("{}--{}", names.empty() ? "" : " ", flag.name);
  return names;
}

std::string overview() {
  std::string page = usage() + "\n";
  for (const Group group : kGroups) page += group_page(group, false) + "\n";
  append_names(page, "accepted for trtexec's sake, no effect here (--help=FLAG says why):",
               names_with(Effect::Ignored));
  append_names(page, "refused (--help=FLAG says what to do instead):", names_with(Effect::Refused));
  append_names(page, "other names:", join(all_aliases(), " ", [](const Alias& alias) {
                 return format("--{} ({})", alias.name, spelling(alias.target));
               }));
  append_names(
      page, "environment:",
      "DLAEXEC_ and a flag's name give the flag where a command line cannot be changed, as "
      "DLAEXEC_USE_DLA_CORE=0 and DLAEXEC_FP16=1; --help=FLAG names the variable");
  append_names(page, "exit status:",
               "0 passed, 1 failed, 2 usage, 3 a gate failed, 4 a gate is inconclusive, 5 the plan "
               "does not fit this version or machine; 130 Ctrl-C, 143 SIGTERM");
  return page;
}

std::string known_in(int since, int until) {
  if (since == kOwn) return "dlaexec only";
  const std::string last = until == kNow ? "today" : release_text(until);
  return format("trtexec {} to {}", release_text(since), last);
}

std::string flag_page(const Found& found) {
  const FlagInfo& flag = info(found.flag);
  std::string page;
  append_flag(page, flag);
  const auto line = [&](std::string_view key, std::string_view value) {
    page += format("{}{}: {}\n", std::string(kColumn, ' '), key, value);
  };
  line("group", title(flag.group));
  line("value", title(flag.kind));
  line("known in", known_in(flag.since, flag.until));
  line("here", title(flag.effect));
  if (const auto variable = environment_name(flag)) line("environment", *variable);
  for (const Alias& alias : all_aliases())
    if (alias.target == flag.flag) line("other name", format("--{}", alias.name));
  return page;
}

Json flag_json(const FlagInfo& flag) {
  Json json = {{"name", flag.name},          {"group", title(flag.group)},
               {"type", title(flag.kind)},   {"value", flag.value},
               {"default", flag.standard},   {"help", flag.help},
               {"here", title(flag.effect)}, {"note", flag.note}};
  json["since"] = flag.since == kOwn ? Json() : Json(release_text(flag.since));
  json["until"] = flag.until == kNow ? Json() : Json(release_text(flag.until));
  const std::optional<std::string> variable = environment_name(flag);
  json["environment"] = variable ? Json(*variable) : Json();
  json["aliases"] = Json::array();
  for (const Alias& alias : all_aliases())
    if (alias.target == flag.flag) json["aliases"].push_back(alias.name);
  return json;
}

std::string table_json() {
  Json flags = Json::array();
  for (const FlagInfo& flag : all_flags()) flags.push_back(flag_json(flag));
  return Json{{"schema_version", 1}, {"flags", std::move(flags)}}.dump(1) + "\n";
}

}  // namespace

std::string usage() {
  return "dlaexec builds an engine from an ONNX model for emulated DLA cores and a GPU or\n"
         "host, runs it, times it and reports, as trtexec does.\n\n"
         "  dlaexec --onnx=MODEL.onnx --useDLACore=0 --fp16 --allowGPUFallback [flags]\n"
         "  dlaexec --loadEngine=PLAN [flags]\n\n"
         "Values follow as --flag=value or --flag value. --help=GROUP, --help=FLAG and\n"
         "--help=json tell more.\n";
}

std::string help(std::string_view topic) {
  if (topic.empty() || topic == "true") return overview();
  if (topic == "json") return table_json();
  if (const auto group = find_group(topic)) return group_page(*group, true);
  const std::string_view name = topic.starts_with("--") ? topic.substr(2) : topic;
  if (const auto found = find_flag(name)) return flag_page(*found);
  const auto nearest = nearest_flag(name);
  fail(Fault::Usage, "--help knows no '{}'{}; give a flag, json, or a group: {}", topic,
       nearest ? format(", did you mean {}?", *nearest) : "",
       join(kGroups, ", ", [](Group group) { return std::string(title(group)); }));
}

}  // namespace dlaexec::cli
