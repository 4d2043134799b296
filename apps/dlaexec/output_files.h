// The files that a command is to write.
#pragma once

#include "settings.h"

namespace dlaexec::cli {

/// Throws the Error that could else only be raised after the run, when its results are lost: for a
/// file that cannot be written, that is the run's own model, or that two flags write.
void require_writable_files(const Settings& settings);

/// True when some report goes to standard output.
bool writes_to_stdout(const Settings& settings);

}  // namespace dlaexec::cli
