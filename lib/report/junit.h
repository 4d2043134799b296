// Gates as JUnit XML, which CI systems show as tests.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "report/gate.h"

namespace dlaexec::report {

/// What stands around the test cases.
struct JUnitSuite {
  std::string name;       ///< "resnet50.onnx"
  std::string timestamp;  ///< "2026-01-31T12:00:00Z"
  double seconds = 0;     ///< that the command took
  std::vector<std::pair<std::string, std::string>> properties;
};

/// One test case per gate: a failed gate is a failure, an undecided one is skipped unless
/// @p undecided makes it one; the text of a failure names the culprits, one a line.
std::string junit_xml(std::span<const Gate> gates, const JUnitSuite& suite, Undecided undecided);

/// @p text for XML 1.0: markup escaped, what XML cannot hold replaced.
std::string xml_text(std::string_view text);

}  // namespace dlaexec::report
