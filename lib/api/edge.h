// The public API's edge: nothing is thrown across it.
#pragma once

#include <exception>

#include "base/error.h"
#include "dlaexec/types.h"

namespace dlaexec::api {

/// Runs @p body; what it throws goes to @p logger as an error, and @p otherwise is returned.
template <class Result, class Body>
Result guarded(ILogger& logger, Result otherwise, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    logger.log(ILogger::Severity::kERROR, error.what());
    return otherwise;
  }
}

/// Runs @p body; true unless it throws.
template <class Body>
bool succeeds(ILogger& logger, Body&& body) noexcept {
  return guarded(logger, false, [&] {
    body();
    return true;
  });
}

}  // namespace dlaexec::api
