// Flags kept in a file: --config reads it, --dumpConfig writes it.
#pragma once

#include <string>
#include <vector>

#include "settings.h"

namespace dlaexec::cli {

/// The flags in the file at @p path: JSON when it starts with a brace, TOML otherwise. JSON is
/// {"version": 1, "flags": {"fp16": true, "shapes": "in:1x3", "requireDLA": ["conv*", "fc"]}};
/// TOML has the flags as keys at the top level. A list gives a repeatable flag several values and
/// any other flag one, joined by commas. Throws a usage Error for anything else.
std::vector<ConfigEntry> read_config(const std::string& path);

/// The flags that hold, as a file for --config, with the source of each; defaults stand apart.
std::string config_json(const Settings& settings);

}  // namespace dlaexec::cli
