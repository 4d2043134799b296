#include "support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "support/paths.h"

namespace dlaexec::test {

void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = source_dir() + "/tests/golden/" + name;
  if (std::getenv("DLAEXEC_ACCEPT_GOLDEN")) {
    std::filesystem::create_directories(path.parent_path());
    write_file(path.string(), text);
  }
  ASSERT_TRUE(std::filesystem::exists(path))
      << path << " is missing; run with DLAEXEC_ACCEPT_GOLDEN=1 to write it";
  EXPECT_EQ(read_file(path.string()), text)
      << "differs from " << path << "; run with DLAEXEC_ACCEPT_GOLDEN=1 if the change is meant";
}

}  // namespace dlaexec::test
