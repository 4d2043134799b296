// The one file that knows CLI11: its reader of TOML. Its lexer of command lines cannot carry
// trtexec's grammar (grammar.h says where they part).
#include "config_toml.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "base/error.h"

namespace dlaexec::cli {
namespace {

bool is_off(const CLI::ConfigItem& item) {
  return item.inputs.size() == 1 && item.inputs.front() == "false";
}

bool is_repeatable(const std::string& name) {
  const auto found = find_flag(name);
  return found && info(found->flag).kind == Kind::Texts;
}

}  // namespace

std::vector<ConfigEntry> read_toml(const std::string& text) {
  std::istringstream stream(text);
  std::vector<ConfigEntry> entries;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
    if (!item.parents.empty() || item.name == "++" || item.name == "--")
      fail(Fault::Usage, "the file has the table [{}]; flags stand at the top level",
           join(item.parents, "."));
    if (is_off(item)) continue;
    if (is_repeatable(item.name))
      for (const std::string& value : item.inputs) entries.push_back({item.name, value});
    else
      entries.push_back({item.name, join(item.inputs, ",")});
  }
  return entries;
}

}  // namespace dlaexec::cli
