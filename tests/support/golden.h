// Texts that a reviewer has read: files below tests/golden/.
#pragma once

#include <string>

namespace dlaexec::test {

/// Fails the running test unless the file tests/golden/@p name holds @p text. With
/// DLAEXEC_ACCEPT_GOLDEN set in the environment it writes the file instead, and the difference is
/// reviewed as code.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace dlaexec::test
