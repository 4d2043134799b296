// How a benchmark program is driven by the script that races it: a line on standard input names a
// number of runs, the answer is their milliseconds; "memory" asks for the peak of its resident
// memory.
#pragma once

#include <functional>

namespace dlaexec::test {

/// Says "ready", then answers until standard input ends. @p run is one run.
void serve(const std::function<void()>& run);

}  // namespace dlaexec::test
