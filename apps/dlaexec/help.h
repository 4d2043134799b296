// Help texts, made from the flag table.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec::cli {

/// What --help=TOPIC prints: all flags by group for "", one group, one flag, or "json". Throws a
/// usage Error that lists the topics for anything else.
std::string help(std::string_view topic);

/// Three lines for somebody who gave nothing.
std::string usage();

}  // namespace dlaexec::cli
