// The option sections that trtexec prints before it starts, in its order and words.
#pragma once

#include <string>
#include <vector>

#include "console.h"
#include "job.h"
#include "report/machine.h"
#include "settings.h"

namespace dlaexec::cli {

/// Model, build, system, inference and reporting options, then the machine; each line as the log
/// shows it. Throws a usage Error for a list among the flags without effect that is written
/// wrongly.
std::vector<std::string> echo_lines(const Settings& settings, const Job& job,
                                    const report::Machine& machine, Persona persona);

}  // namespace dlaexec::cli
