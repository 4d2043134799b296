// Text of files and names that may hold anything, made fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec {

/// @p text on one line: '?' in place of control characters and of bytes that are no UTF-8, which
/// could otherwise move the cursor or change colours.
std::string printable(std::string_view text);

}  // namespace dlaexec
