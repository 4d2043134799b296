#include "metadata_files.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "bench/figures.h"

namespace dlaexec::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The lines "key: value" between the ruler with @p title and the next one.
Json section(const std::vector<std::string>& echo, const std::string& title) {
  Json values = Json::object();
  bool inside = false;
  for (const std::string& line : echo) {
    if (line.starts_with("=== ")) {
      inside = line == "=== " + title + " ===";
      continue;
    }
    const size_t colon = line.find(':');
    if (!inside || colon == std::string::npos) continue;
    const size_t value = line.find_first_not_of(' ', colon + 1);
    values[line.substr(0, colon)] = value == std::string::npos ? "" : line.substr(value);
  }
  return values;
}

Json list_of(const measure::Statistics& s) {
  Json list = {s.min, s.max, s.mean, s.median};
  for (const measure::Percentile& percentile : s.percentiles) list.push_back(percentile.value);
  return list;
}

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string build_metadata_json(const std::vector<std::string>& echo) {
  return dump({{"model_options", section(echo, "Model Options")},
               {"build_options", section(echo, "Build Options")},
               {"device_information", section(echo, "Device Information")}});
}

std::string profile_metadata_json(const std::vector<std::string>& echo, const bench::Result& result,
                                  const std::vector<float>& percentiles) {
  const bench::Figures figures = bench::figures(result, percentiles);
  const Json summary = {{"Throughput", figures.throughput_qps},
                        {"Latency", list_of(figures.latency)},
                        {"Enqueue Time", list_of(figures.enqueue)},
                        {"H2D Latency", list_of(figures.h2d)},
                        {"GPU Compute Time", list_of(figures.compute)},
                        {"D2H Latency", list_of(figures.d2h)},
                        {"Total Host Walltime", figures.host_walltime_s},
                        {"Total GPU Compute Time", figures.total_compute_s}};
  return dump({{"performance_summary", summary},
               {"inference_options", section(echo, "Inference Options")},
               {"device_information", section(echo, "Device Information")}});
}

void export_build_metadata(const Settings& settings, const std::vector<std::string>& echo) {
  if (!settings.given(Flag::exportBuildMetadata)) return;
  write_file(settings.text(Flag::exportBuildMetadata), build_metadata_json(echo));
}

void export_profile_metadata(const Settings& settings, const std::vector<std::string>& echo,
                             const bench::Result& result, const std::vector<float>& percentiles) {
  if (!settings.given(Flag::exportProfileMetadata)) return;
  write_file(settings.text(Flag::exportProfileMetadata),
             profile_metadata_json(echo, result, percentiles));
}

}  // namespace dlaexec::cli
