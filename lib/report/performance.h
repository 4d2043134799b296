// The performance report on the console, line by line as trtexec prints it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/result.h"

namespace dlaexec::report {

struct PerformanceOptions {
  size_t average_runs = 10;  ///< queries per line of the trace
  std::vector<float> percentiles;
  /// Says which of the times are modelled; printed when the timeline is not the wall's.
  std::string timeline_note;
  /// How far off the figures are that contain modelled times; empty when none does.
  std::string error_note;
  /// What may have disturbed the measurement from outside.
  std::vector<std::string> disturbances;
  /// Most lines of the trace: of more, the first and last halves are printed. 0: all are.
  size_t trace_lines = 0;
};

/// Writes the whole report to the log: warm up, trace averages, summary, warnings, explanations.
void print_performance(const bench::Result& result, const PerformanceOptions& options);

/// "Latency: min = 1 ms, max = ..., percentile(99%) = 2 ms"
std::string statistics_line(std::string_view name, const measure::Statistics& statistics);

/// How the time of a query divides between processors: "dla 98.1 % modelled, host 1.9 % measured".
std::string division_of_time(const bench::Profile& profile);

/// How far off a query's time is on average because of the modelled times in it, as a part of it;
/// no value where nothing in it is modelled, or the error of most of it is not known.
std::optional<double> modelled_error(const bench::Profile& profile);

/// The sentence that stands over figures with modelled times in them; empty when there are none.
std::string error_note(const bench::Profile& profile);

}  // namespace dlaexec::report
