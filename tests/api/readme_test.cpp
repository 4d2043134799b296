// The README's example is the sample's code: line by line, in the same order.
#include <gtest/gtest.h>

#include <sstream>

#include "base/file.h"
#include "support/paths.h"

namespace dlaexec {
namespace {

std::string trimmed(const std::string& line) {
  const size_t first = line.find_first_not_of(' ');
  return first == std::string::npos ? "" : line.substr(first);
}

/// The README's block of C++, without indentation and empty lines.
std::vector<std::string> example() {
  const std::string readme = read_file(test::source_dir() + "/README.md");
  const std::string start = "```cpp\n";
  const size_t from = readme.find(start) + start.size();
  std::istringstream block(readme.substr(from, readme.find("```", from) - from));
  std::vector<std::string> lines;
  for (std::string line; std::getline(block, line);)
    if (!trimmed(line).empty()) lines.push_back(trimmed(line));
  return lines;
}

TEST(Readme, ShowsTheCodeOfTheSample) {
  std::istringstream sample(read_file(test::source_dir() + "/apps/sample_dla_layer/main.cpp"));
  const std::vector<std::string> wanted = example();
  ASSERT_GT(wanted.size(), 10u);
  size_t at = 0;
  for (std::string line; std::getline(sample, line) && at < wanted.size();)
    if (trimmed(line) == wanted[at]) ++at;
  EXPECT_EQ(at, wanted.size()) << "not in the sample, or not there: " << wanted[at];
}

}  // namespace
}  // namespace dlaexec
