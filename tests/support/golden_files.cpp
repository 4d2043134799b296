#include "support/golden_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include "base/file.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kRun = "# run: ", kExpect = "# expect\n";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Where two texts part, with some lines from there on.
std::string first_difference(const std::string& wanted, const std::string& found) {
  constexpr size_t kShown = 6;
  const std::vector<std::string> a = lines_of(wanted);
  const std::vector<std::string> b = lines_of(found);
  const auto at =
      static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  std::string text = "line " + std::to_string(at + 1) + " of the output differs\n";
  for (size_t i = at; i < std::min(a.size(), at + kShown); ++i) text += "  wanted: " + a[i] + "\n";
  for (size_t i = at; i < std::min(b.size(), at + kShown); ++i) text += "  found:  " + b[i] + "\n";
  return text;
}

class GoldenTest : public ::testing::Test {
 public:
  GoldenTest(std::string path, GoldenRun run) : path_(std::move(path)), run_(std::move(run)) {}

  void TestBody() override {
    const std::string text = read_file(path_);
    const size_t run_at = text.find(kRun), expect_at = text.find(kExpect);
    ASSERT_TRUE(run_at != std::string::npos && expect_at != std::string::npos && run_at < expect_at)
        << path_ << " needs a line '# run: COMMAND' and, below the input, a line '# expect'";
    const size_t line_end = text.find('\n', run_at);
    const std::string command = text.substr(run_at + kRun.size(), line_end - run_at - kRun.size());
    const std::string input = text.substr(line_end + 1, expect_at - line_end - 1);
    const std::string output = run_(command, input);
    if (std::getenv("DLAEXEC_ACCEPT_GOLDEN"))
      write_file(path_, text.substr(0, expect_at + kExpect.size()) + output);
    else if (const std::string wanted = text.substr(expect_at + kExpect.size()); output != wanted)
      ADD_FAILURE() << path_ << ": " << first_difference(wanted, output)
                    << "if the new output is right: scripts/dev golden --accept";
  }

 private:
  std::string path_;
  GoldenRun run_;
};

}  // namespace

bool register_golden(const std::string& area, const GoldenRun& run) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(source_dir()) / "tests/golden" / area))
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::string name = file.stem().string();
    std::replace(name.begin(), name.end(), '-', '_');
    ::testing::RegisterTest(
        area.c_str(), name.c_str(), nullptr, nullptr, file.c_str(), 1,
        [path = file.string(), run]() -> ::testing::Test* { return new GoldenTest(path, run); });
  }
  return !files.empty();
}

}  // namespace dlaexec::test
