// Golden files: input, command and expected output in one text file each, tests/golden/AREA/*.test:
//
//   # what the file shows, in as many lines as it takes
//   # run: COMMAND
//   INPUT
//   # expect
//   OUTPUT
//
// scripts/dev golden --accept (DLAEXEC_ACCEPT_GOLDEN=1) rewrites the expectations.
#pragma once

#include <functional>
#include <string>

namespace dlaexec::test {

/// Gives the output for a file's command and input.
using GoldenRun = std::function<std::string(const std::string& command, const std::string& input)>;

/// Makes one test, AREA.FILE, of each golden file of @p area. Called when statics are initialized:
/// static const bool registered = register_golden("passes", run_pass);
bool register_golden(const std::string& area, const GoldenRun& run);

}  // namespace dlaexec::test
