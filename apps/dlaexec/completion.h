// Completion scripts for shells, made from the table of flags.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec::cli {

/// The script for @p shell: "bash", "zsh" or "fish". Flags that are refused are not offered; a
/// choice offers its words, a flag of a file the files there are.
std::string completion(std::string_view shell);

}  // namespace dlaexec::cli
