// The commit that the program was built from.
#pragma once

#include <string_view>

namespace dlaexec::cli {

/// Its hash as of the last build after HEAD moved, or "unknown"; changes that were not committed do
/// not show.
std::string_view commit();

}  // namespace dlaexec::cli
