// Calibration caches: TensorRT's text format, read and written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quant/quant.h"

namespace dlaexec::quant {

/// One line of a cache: a tensor and its scale, dynamic range / 127.
struct CacheEntry {
  std::string tensor;
  float scale = 0;
  friend bool operator==(const CacheEntry&, const CacheEntry&) = default;
};

/// A cache file. Its first line is "TRT-<version>-<algorithm>", then comes one line per tensor:
/// the name, a colon, and the bits of the scale as hexadecimal.
struct CalibrationCache {
  std::string version = "8601";
  std::string algorithm = "EntropyCalibration2";
  std::vector<CacheEntry> entries;
  friend bool operator==(const CalibrationCache&, const CalibrationCache&) = default;
};

/// Reads a cache: also with CRLF, without padding of the bits, and with colons and blanks in names.
/// Throws an Error that gives the line for anything else, and for negative scales and NaN.
CalibrationCache parse_cache(std::string_view text);

/// The bytes that TensorRT writes for the same content. Throws an Error for a name with a line
/// break, which the format cannot hold.
std::string print_cache(const CalibrationCache& cache);

/// The cache in a file; errors name the file.
CalibrationCache read_cache(const std::string& path);

/// The scales by tensor; the last one of a name counts, and a scale of 0, which TensorRT writes for
/// tensors that were always 0, is none.
Scales scales_of(const CalibrationCache& cache);

/// A cache of the given scales, tensors in the order of their names.
CalibrationCache cache_of(const Scales& scales, std::string algorithm);

}  // namespace dlaexec::quant
