#define FMT_HEADER_ONLY  // fmt stays inside this file: no library of it to install or to clash with
#include <fmt/format.h>

#include "base/format.h"

namespace dlaexec {

std::string format_text(fmt::string_view pattern, fmt::format_args arguments) {
  return fmt::vformat(pattern, arguments);
}

}  // namespace dlaexec

// Other files include fmt/core.h alone, which only declares this; here is the body they link to.
[[gnu::used]] static void (*const kThrowFormatError)(const char*) =
    &fmt::detail::throw_format_error;
