// What --version tells: the build, and what of CUDA is found where the program runs.
#pragma once

#include <string>

namespace dlaexec::cli {

/// "dlaexec 0.1.0", then a fact a line.
std::string version_text();
std::string version_json();

}  // namespace dlaexec::cli
