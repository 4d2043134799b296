#include "quant/cache.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "base/file.h"

namespace dlaexec::quant {
namespace {

/// Takes the next line off @p text, without its line break.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

void read_header(std::string_view line, CalibrationCache& cache) {
  constexpr std::string_view kStart = "TRT-";
  const size_t dash = line.find('-', kStart.size());
  if (!line.starts_with(kStart) || dash == std::string_view::npos || dash + 1 == line.size())
    fail(
        "calibration cache, line 1: expected 'TRT-<version>-<algorithm>', such as "
        "'TRT-8601-EntropyCalibration2', found '{}'",
        line.substr(0, 60));
  cache.version = line.substr(kStart.size(), dash - kStart.size());
  cache.algorithm = line.substr(dash + 1);
}

float read_bits(std::string_view digits, std::string_view tensor, int line) {
  uint32_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() > 8)
    fail(
        "calibration cache, line {}: expected 1 to 8 hexadecimal digits for tensor '{}', found "
        "'{}'",
        line, tensor, digits.substr(0, 20));
  const float scale = std::bit_cast<float>(bits);
  if (!std::isfinite(scale) || std::signbit(scale))
    fail(
        "calibration cache, line {}: tensor '{}' has the scale {}; a scale is a finite number that "
        "is not negative",
        line, tensor, scale);
  return scale;
}

CacheEntry read_entry(std::string_view text, int line) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    fail("calibration cache, line {}: expected '<tensor>: <hexadecimal scale>', found '{}'", line,
         text.substr(0, 60));
  const std::string_view tensor = text.substr(0, colon);
  return {std::string(tensor), read_bits(trimmed(text.substr(colon + 1)), tensor, line)};
}

}  // namespace

CalibrationCache parse_cache(std::string_view text) {
  CalibrationCache cache;
  read_header(take_line(text), cache);
  for (int line = 2; !text.empty(); ++line) {
    const std::string_view entry = take_line(text);
    if (!trimmed(entry).empty()) cache.entries.push_back(read_entry(entry, line));
  }
  return cache;
}

std::string print_cache(const CalibrationCache& cache) {
  std::string text = format("TRT-{}-{}\n", cache.version, cache.algorithm);
  for (const CacheEntry& entry : cache.entries) {
    if (entry.tensor.empty() || entry.tensor.find_first_of("\r\n") != std::string::npos)
      fail("tensor '{}' cannot stand in a calibration cache: a name is one line that is not empty",
           entry.tensor);
    text += format("{}: {:08x}\n", entry.tensor, std::bit_cast<uint32_t>(entry.scale));
  }
  return text;
}

CalibrationCache read_cache(const std::string& path) {
  return in_context([&] { return "reading '" + path + "'"; },
                    [&] { return parse_cache(read_file(path)); });
}

Scales scales_of(const CalibrationCache& cache) {
  Scales scales;
  for (const CacheEntry& entry : cache.entries) {
    if (entry.scale > 0)
      scales[entry.tensor] = entry.scale;
    else
      scales.erase(entry.tensor);
  }
  return scales;
}

CalibrationCache cache_of(const Scales& scales, std::string algorithm) {
  CalibrationCache cache;
  cache.algorithm = std::move(algorithm);
  for (const auto& [tensor, scale] : scales) cache.entries.push_back({tensor, scale});
  return cache;
}

}  // namespace dlaexec::quant
