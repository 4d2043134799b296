#include "config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "config_toml.h"

namespace dlaexec::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kConfigVersion = 1;

bool is_repeatable(const std::string& name) {
  const auto found = find_flag(name);
  return found && info(found->flag).kind == Kind::Texts;
}

/// A flag that is switched off is one that is not given.
bool is_off(const Json& value) { return value.is_boolean() && !value.get<bool>(); }

std::string text_of(const std::string& name, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  fail(Fault::Usage, "flag '{}' is {}; give a text, a number, true, false or a list of those", name,
       value.dump());
}

std::vector<ConfigEntry> entries_of(const Json& flags) {
  std::vector<ConfigEntry> entries;
  for (const auto& [name, value] : flags.items()) {
    if (is_off(value)) continue;
    if (!value.is_array()) {
      entries.push_back({name, text_of(name, value)});
      continue;
    }
    std::vector<std::string> texts;
    for (const Json& element : value) texts.push_back(text_of(name, element));
    if (is_repeatable(name))
      for (std::string& text : texts) entries.push_back({name, std::move(text)});
    else
      entries.push_back({name, join(texts, ",")});
  }
  return entries;
}

Json parse_json(const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    fail(Fault::Usage, "the file is no valid JSON: {}", error.what());
  }
}

/// The flags of a JSON file. What --dumpConfig adds for people is skipped; any other key is a
/// mistake.
Json flags_of(const Json& file) {
  for (const auto& [key, value] : file.items())
    if (key != "version" && key != "flags" && key != "sources" && key != "defaults")
      fail(Fault::Usage, "the file has '{}' at its top; it may have version and flags", key);
  if (file.contains("version") && file["version"] != kConfigVersion)
    fail(Fault::Usage, "the file has version {}; this dlaexec reads version {}",
         file["version"].dump(), kConfigVersion);
  const Json flags = file.contains("flags") ? file["flags"] : Json::object();
  if (!flags.is_object()) fail(Fault::Usage, "flags must be an object of names and values");
  return flags;
}

Json value_of(const FlagInfo& flag, const std::vector<std::string>& values) {
  if (flag.kind == Kind::Switch) return values.back() == "true";
  if (values.size() == 1) return values.back();
  return values;
}

}  // namespace

std::vector<ConfigEntry> read_config(const std::string& path) {
  const std::string text = read_file(path);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  if (text[first] != '{') return read_toml(text);
  return entries_of(flags_of(parse_json(text)));
}

std::string config_json(const Settings& settings) {
  for (const Flag starter : {Flag::profile, Flag::refPair})
    if (settings.given(starter))
      fail(Fault::Usage, "a file of flags has no order, so it cannot hold the groups of {}",
           spelling(starter));
  constexpr std::string_view kSources[] = {"default", "file", "environment", "command line"};
  Json file = {{"version", kConfigVersion}};
  for (const char* part : {"flags", "sources", "defaults"}) file[part] = Json::object();
  for (const FlagInfo& flag : all_flags()) {
    if (flag.flag == Flag::dumpConfig || flag.flag == Flag::config) continue;
    if (flag.effect != Effect::Works) continue;
    if (settings.given(flag.flag)) {
      file["flags"][flag.name] = value_of(flag, settings.texts(flag.flag));
      file["sources"][flag.name] = kSources[static_cast<size_t>(settings.source(flag.flag))];
    } else if (const std::string text = settings.text(flag.flag); !text.empty()) {
      file["defaults"][flag.name] = text;
    }
  }
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dlaexec::cli
