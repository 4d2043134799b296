#include "api/log_forward.h"

#include <string>

namespace dlaexec::api {
namespace {

ILogger::Severity to_api(log::Severity severity) {
  switch (severity) {
    case log::Severity::Verbose:
      return ILogger::Severity::kVERBOSE;
    case log::Severity::Info:
      return ILogger::Severity::kINFO;
    case log::Severity::Warning:
      return ILogger::Severity::kWARNING;
    case log::Severity::Error:
      return ILogger::Severity::kERROR;
  }
  __builtin_unreachable();
}

}  // namespace

LogForward::LogForward(ILogger& logger)
    : before_(log::set_sink([&logger](log::Severity severity, std::string_view text) {
        logger.log(to_api(severity), std::string(text).c_str());
      })) {}

LogForward::~LogForward() { log::set_sink(std::move(before_)); }

}  // namespace dlaexec::api
