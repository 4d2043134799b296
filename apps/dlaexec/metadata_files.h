// The two metadata files that TREx makes of a build's and a run's log, written directly.
#pragma once

#include <string>
#include <vector>

#include "bench/result.h"
#include "settings.h"

namespace dlaexec::cli {

/// {model_options, build_options, device_information}, each with the keys and values of its section
/// in the echo of options.
std::string build_metadata_json(const std::vector<std::string>& echo);

/// {performance_summary, inference_options, device_information}. Figures are numbers; a statistic
/// is the list [min, max, mean, median, percentiles ...] of its line in the performance summary.
std::string profile_metadata_json(const std::vector<std::string>& echo, const bench::Result& result,
                                  const std::vector<float>& percentiles);

/// Writes what --exportBuildMetadata and --exportProfileMetadata ask for.
void export_build_metadata(const Settings& settings, const std::vector<std::string>& echo);
void export_profile_metadata(const Settings& settings, const std::vector<std::string>& echo,
                             const bench::Result& result, const std::vector<float>& percentiles);

}  // namespace dlaexec::cli
