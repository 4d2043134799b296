// The manual page, made from the table of flags.
#pragma once

#include <string>

namespace dlaexec::cli {

/// The page in the language of man(7).
std::string man_page();

}  // namespace dlaexec::cli
