// Flags as environment variables: DLAEXEC_USE_DLA_CORE=0 for --useDLACore=0, where a command line
// cannot be changed. They override --config and are overridden by the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "flag.h"

namespace dlaexec::cli {

/// "DLAEXEC_ALLOW_GPU_FALLBACK": the variable that stands for @p flag. None for flags that are
/// questions or whose place in the command line matters.
std::optional<std::string> environment_name(const FlagInfo& flag);

/// The flags whose variables are set and not empty. Warns of a variable that differs from one of
/// them in its underscores alone.
std::vector<ConfigEntry> read_environment();

}  // namespace dlaexec::cli
