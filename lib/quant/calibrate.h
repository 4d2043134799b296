// From a histogram of magnitudes to the range that INT8 should cover.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ir/enum_text.h"
#include "quant/histogram.h"

namespace dlaexec::quant {

/// How a range is chosen.
enum class CalibrationAlgorithm : uint8_t {
  Entropy2,    ///< least Kullback-Leibler divergence, as NVIDIA published it, kept from cutting off
               ///< so much that the squared error exceeds 1.5 times the least
  MinMax,      ///< the largest magnitude
  Percentile,  ///< covers a share of the elements
  Mse,         ///< least squared error of the quantized elements
};

/// What an algorithm may be told.
struct CalibrationSettings {
  CalibrationAlgorithm algorithm = CalibrationAlgorithm::Entropy2;
  double percentile = 99.99;  ///< percent of the elements that the range covers
};

/// The dynamic range for a tensor: INT8 covers [-range, range]. 0 when all elements were 0.
float calibrated_range(const Histogram& histogram, const CalibrationSettings& settings);

/// The number of bins that INT8 should cover by entropy, out of @p counts: at least 128.
size_t entropy_threshold(std::span<const uint64_t> counts);

/// The name in a cache's first line with which TensorRT takes the cache.
std::string_view cache_algorithm(CalibrationAlgorithm algorithm);

}  // namespace dlaexec::quant

DLAEXEC_ENUM_TEXT(dlaexec::quant::CalibrationAlgorithm, "entropy2", "minmax", "percentile", "mse");
