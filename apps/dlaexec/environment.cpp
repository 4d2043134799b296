#include "environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/log.h"

namespace dlaexec::cli {
namespace {

constexpr Flag kQuestions[] = {Flag::help,         Flag::version,           Flag::listPlatforms,
                               Flag::listDlaRules, Flag::completion,        Flag::manPage,
                               Flag::dumpConfig,   Flag::getPlanVersionOnly};

bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }

/// A word begins at a capital behind a small letter, and at the last capital of several when a
/// small letter follows: allowGPUFallback is allow, GPU, Fallback.
bool begins_word(std::string_view name, size_t at) {
  if (at == 0 || !is_upper(name[at])) return false;
  const bool after_small = !is_upper(name[at - 1]);
  const bool before_small = at + 1 < name.size() && is_lower(name[at + 1]);
  return after_small || before_small;
}

std::string without_underscores(std::string_view name) {
  std::string text(name);
  std::erase(text, '_');
  return text;
}

/// DLAEXEC_USEDLACORE is nobody's, but clearly meant.
void warn_of_misspelt(const std::vector<std::string>& known) {
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view variable(*each);
    const std::string name(variable.substr(0, variable.find('=')));
    if (!name.starts_with("DLAEXEC_")) continue;
    for (const std::string& right : known)
      if (name != right && without_underscores(name) == without_underscores(right))
        log::warning("the environment's {} is no flag; did you mean {}?", name, right);
  }
}

}  // namespace

std::optional<std::string> environment_name(const FlagInfo& flag) {
  const bool is_question =
      std::find(std::begin(kQuestions), std::end(kQuestions), flag.flag) != std::end(kQuestions);
  if (is_question || starts_group(flag.flag) || flag.effect == Effect::Refused) return std::nullopt;
  std::string name = "DLAEXEC_";
  for (size_t i = 0; i < flag.name.size(); ++i) {
    if (begins_word(flag.name, i)) name += '_';
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(flag.name[i])));
  }
  return name;
}

std::vector<ConfigEntry> read_environment() {
  std::vector<ConfigEntry> entries;
  std::vector<std::string> known;
  for (const FlagInfo& flag : all_flags()) {
    const std::optional<std::string> name = environment_name(flag);
    if (!name) continue;
    known.push_back(*name);
    const char* value = std::getenv(name->c_str());
    if (value != nullptr && *value != '\0') entries.push_back({std::string(flag.name), value});
  }
  warn_of_misspelt(known);
  return entries;
}

}  // namespace dlaexec::cli
