// Where tests find files.
#pragma once

#include <optional>
#include <string>

namespace dlaexec::test {

/// The checkout: models/ and golden files lie below it.
std::string source_dir();

/// Real models and data beside the checkout ($DLAEXEC_SHARED, else ../shared), if they are there.
/// A test that needs them skips without: if (!shared_dir()) GTEST_SKIP() << kNoShared;
std::optional<std::string> shared_dir();
inline constexpr const char* kNoShared =
    "needs the real models and data that lie beside the checkout in ../shared (or $DLAEXEC_SHARED)";

/// A fresh folder for this test's files, removed when the process ends.
std::string temporary_dir();

}  // namespace dlaexec::test
