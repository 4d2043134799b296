// A run as one HTML page, for people who were not at the console.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec::report {

/// The page of a run, from its summary (report/summary.h; text of the newest version): figures, the
/// distribution of latency, the timeline of steps, placement with reasons, the operations inside
/// each loadable, accuracy, gates, and what it was run with.
std::string summary_page(std::string_view summary_json);

}  // namespace dlaexec::report
