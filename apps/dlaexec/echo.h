// The option sections that trtexec prints before it starts, in its order and words.
#pragma once

#include "job.h"
#include "report/machine.h"
#include "settings.h"

namespace dlaexec::cli {

/// Model, build, system, inference and reporting options, then the machine, to the log.
void echo_options(const Settings& settings, const Job& job, const report::Machine& machine);

}  // namespace dlaexec::cli
