// The measured latencies that the clock model is held against.
#pragma once

#include <string>
#include <vector>

namespace dlaexec::calibration {

/// One measured network on one DLA core.
struct Row {
  std::string platform, mode;
  std::string network;    ///< as the file names it
  std::string generator;  ///< the name for models/generate
  std::string precision;  ///< "int8", "int8-sparse2:4", "fp16"
  int batch = 1;
  int busy_cores = 1;    ///< 2 where the figure was published for both cores together
  double clock_mhz = 0;  ///< of the DLA when it was measured
  double ms_per_image = 0;
  std::string source;

  bool is_int8() const { return precision.starts_with("int8"); }
  bool is_sparse() const { return precision.find("sparse") != std::string::npos; }
};

/// Reads a CSV file of rows; throws an Error that names what does not fit.
std::vector<Row> read_rows(const std::string& path);

}  // namespace dlaexec::calibration
