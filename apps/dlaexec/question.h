// Commands that answer a question and run nothing: help, version, lists, what is in a plan.
#pragma once

#include <optional>
#include <string>

#include "settings.h"

namespace dlaexec::cli {

/// The text that answers what @p settings ask for; nothing when they ask for a job.
std::optional<std::string> answer(const Settings& settings);

}  // namespace dlaexec::cli
