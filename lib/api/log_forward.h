// The library's log lines, handed to the application's ILogger while a call is under way.
#pragma once

#include "base/log.h"
#include "dlaexec/types.h"

namespace dlaexec::api {

/// Forwards every line to @p logger for as long as it lives, then puts the sink before it back. The
/// log is the process's: with calls under way in several threads, the last logger set hears all.
class LogForward {
 public:
  explicit LogForward(ILogger& logger);
  ~LogForward();
  LogForward(const LogForward&) = delete;
  LogForward& operator=(const LogForward&) = delete;

 private:
  log::Sink before_;
};

}  // namespace dlaexec::api
