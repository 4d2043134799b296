// Every flag with values that nobody means.
#include <filesystem>
#include <set>

#include "flag.h"
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class SlowHostileValues : public ProgramTest {
 protected:
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      names.insert(entry.path().filename().string());
    return names;
  }
  /// Ends as documented, with one sentence and nothing left behind where it fails.
  void expect_clean_end(const std::string& argument) {
    SCOPED_TRACE(argument.substr(0, 60));
    const std::set<std::string> before = files();
    const test::Outcome outcome = run("--onnx=small.onnx" + std::string(kBrief) + " " + argument);
    EXPECT_GE(outcome.status, 0);
    EXPECT_LE(outcome.status, 5);
    EXPECT_THAT(outcome.err, Not(HasSubstr("Uncaught")));
    EXPECT_EQ(outcome.status != 0, outcome.err.find("[E]") != std::string::npos) << outcome.err;
    for (const std::string& name : files()) {
      if (before.contains(name)) continue;
      EXPECT_EQ(outcome.status, 0) << "it failed and left " << name;
      std::filesystem::remove_all(path(name));
    }
  }
};

/// A value that asks for a wait which no test has the time for.
bool waits(Flag flag, const std::string& value) {
  const std::set<Flag> spans = {Flag::duration, Flag::warmUp, Flag::sleepTime, Flag::idleTime,
                                Flag::iterations};
  return spans.contains(flag) && (value == "-1" || value.size() > 4);
}

TEST_F(SlowHostileValues, OfEveryFlagEndInASentence) {
  const std::vector<std::string> values = {
      "",      "-1", "0", "99999999999999999999", "1e400",  "nan",  "\xc3\xa9\xf0\x9f\x92\xa5",
      "a:b:c", ":",  "'", "../../nonexistent/x",  "a,,b=c", "\xff", std::string(5000, 'x')};
  for (const FlagInfo& flag : all_flags()) {
    expect_clean_end(format("--{}", flag.name));
    for (const std::string& value : values)
      if (!waits(flag.flag, value)) expect_clean_end(format("--{}={}", flag.name, value));
  }
}

}  // namespace
}  // namespace dlaexec::cli
