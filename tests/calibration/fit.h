// Fitting the clock's constants to measured rows.
#pragma once

#include <functional>
#include <vector>

#include "calibration/rows.h"
#include "dla/clock.h"

namespace dlaexec::calibration {

/// One constant that is fitted: where it is believed to lie before any row is seen.
struct Belief {
  const char* name;
  double dla::ClockConstants::*member;
  double expected;  ///< from documents
  double spread;    ///< a standard deviation of its logarithm; 0: fixed
};

/// The constants of a generation and what is known of them beforehand.
std::vector<Belief> beliefs(dla::Generation generation);

/// Predicted milliseconds an image of a row.
using Predict = std::function<double(const Row&, const dla::ClockConstants&)>;

/// The constants that fit @p rows best and stay plausible: least squares of the logarithms of
/// predicted over measured (a row counts as known to 5 %) and of constants over expected.
dla::ClockConstants fit(const std::vector<Row>& rows, const std::vector<Belief>& constants,
                        const Predict& predict);

}  // namespace dlaexec::calibration
