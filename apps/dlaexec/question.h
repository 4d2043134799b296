// Commands that answer a question and run nothing: help, version, lists, what is in a plan.
#pragma once

#include <optional>
#include <string>

#include "console.h"
#include "settings.h"

namespace dlaexec::cli {

/// --getPlanVersionOnly: which program made the plan of --loadEngine, in trtexec's words. A command
/// called trtexec says the release of TensorRT that it speaks for, for scripts that read it.
std::string plan_version(const Settings& settings, Persona persona);

/// The text that answers what @p settings ask for; nothing when they ask for a job.
std::optional<std::string> answer(const Settings& settings);

}  // namespace dlaexec::cli
