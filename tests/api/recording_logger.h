// A logger that keeps what it hears.
#pragma once

#include <string>

#include "dlaexec/types.h"

namespace dlaexec::test {

class RecordingLogger final : public ILogger {
 public:
  void log(Severity severity, const AsciiChar* message) noexcept override {
    if (severity <= Severity::kERROR) errors_ += std::string(message) + "\n";
    if (severity == Severity::kWARNING) warnings_ += std::string(message) + "\n";
  }
  const std::string& errors() const { return errors_; }
  const std::string& warnings() const { return warnings_; }

 private:
  std::string errors_, warnings_;
};

}  // namespace dlaexec::test
