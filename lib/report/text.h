// Numbers and names as reports write them.
#pragma once

#include <string>
#include <string_view>

namespace dlaexec::report {

/// A figure as trtexec prints it: 6 significant digits, no trailing zeros.
std::string number(float value);

/// A number as JSON, with @p digits significant digits; what JSON cannot hold becomes null.
std::string json_number(double value, int digits);

/// The time now: "2026-01-31T12:00:00Z".
std::string utc_now();

/// A JSON string with its quotes; bytes that are not UTF-8 become the replacement character.
std::string json_string(std::string_view text);

}  // namespace dlaexec::report
