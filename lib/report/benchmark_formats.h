// A run in the formats of other benchmark tools, so that their comparers and dashboards read it.
#pragma once

#include <string>

#include "bench/result.h"
#include "report/machine.h"

namespace dlaexec::report {

/// The JSON of Google Benchmark: every latency kept as a repetition, then mean, median, standard
/// deviation and coefficient of variation. @p name is the benchmark's, @p program the command.
std::string google_benchmark_json(const bench::Result& result, const std::string& name,
                                  const std::string& program, const Machine& machine);

/// Bencher Metric Format: latency in ns with the interval of its median, and queries per second.
std::string bencher_json(const bench::Result& result, const std::string& name);

}  // namespace dlaexec::report
