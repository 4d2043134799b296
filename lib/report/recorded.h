// A summary read back: what a comparison needs of it, whichever version wrote it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dlaexec::report {

/// One time, or rate, of a whole run.
struct RecordedFigure {
  std::string name;  ///< as the summary's key: "latency_ms"
  double value = 0;  ///< the median, or the figure itself when there are no samples
  std::vector<float> samples;
};

/// The smallest piece of a run whose time is known: a step on the host or GPU, or an operation of
/// a DLA loadable.
struct RecordedPart {
  std::string name;
  std::string engine;               ///< "host", "gpu" or "dla"
  std::vector<std::string> layers;  ///< of the network; empty for a reformat
  std::string precision;            ///< "" when the summary does not tell
  std::string tactic;
  std::string formats;       ///< of inputs and outputs
  bool is_modelled = false;  ///< exact; else samples tell how sure the time is
  double median_ms = 0;
  std::vector<float> samples;
};

struct RecordedLayer {
  std::string name, device, precision;
  std::string reason;  ///< the first thing that keeps it off the DLA, or ""
};

struct RecordedSize {
  std::string name;  ///< "plan", "weights", "dla sram", ...
  int64_t bytes = 0;
};

struct Recorded {
  std::string source;  ///< the file's name, for people
  int version = 0;
  std::string model, model_hash;
  std::string timeline;  ///< "" when nothing was run
  int streams = 1;
  std::string platform;  ///< "" without a DLA
  std::string power_mode;
  double dla_mhz = 0, dram_gb_per_s = 0;  ///< 0: the summary does not tell
  int busy_cores = 0;
  std::string machine;  ///< processor and cores, and the GPU when one ran steps
  std::vector<RecordedFigure> figures;
  std::vector<RecordedPart> parts;  ///< in order of execution
  std::vector<RecordedLayer> layers;
  std::vector<RecordedSize> sizes;
  std::vector<std::pair<std::string, std::string>> settings;     ///< of the build
  std::vector<std::pair<std::string, std::string>> gpu_tactics;  ///< by problem
  std::vector<std::string> remarks;                              ///< what disturbed the measurement

  bool is_measured() const { return !timeline.empty(); }
  /// Every part's time is computed: two such runs compare without doubt.
  bool is_exact() const;
  /// "host", "gpu", "host, gpu" or "": what ran besides the DLA.
  std::string other_engines() const;
  const RecordedFigure* figure(std::string_view name) const;
};

/// Reads a summary of any version up to kSummaryVersion. @p source names it in errors. Throws an
/// Error when it is no summary, or of a later version.
Recorded read_summary(std::string_view json, std::string source);

}  // namespace dlaexec::report
