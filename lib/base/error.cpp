#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace dlaexec {

void abort_on_bug(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: this is a bug in dlaexec: '%s' does not hold\n", file, line,
               condition);
  std::abort();
}

}  // namespace dlaexec
