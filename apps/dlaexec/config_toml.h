// Flags in a TOML file.
#pragma once

#include <string>
#include <vector>

#include "config.h"

namespace dlaexec::cli {

/// The flags in a TOML text: keys at the top level, no tables. Throws a usage Error for a table and
/// for a line that is none of TOML's.
std::vector<ConfigEntry> read_toml(const std::string& text);

}  // namespace dlaexec::cli
