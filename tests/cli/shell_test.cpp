// What other programs read of the command itself: completion scripts, the manual, the log's forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/file.h"
#include "completion.h"
#include "flag.h"
#include "man_page.h"
#include "networks.h"
#include "progress_line.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What bash offers behind "dlaexec LINE".
std::string offered(const std::string& line) {
  const std::string folder = test::temporary_dir();
  write_file(folder + "/dlaexec", completion("bash"));
  write_file(folder + "/model.onnx", "");
  const std::string script = "source ./dlaexec; COMP_LINE='dlaexec " + line +
                             "'; COMP_POINT=${#COMP_LINE}; _dlaexec 2>/dev/null; "
                             "echo \"${COMPREPLY[@]}\"";
  return test::run_program({"/bin/bash", "-c", script}, folder).out;
}

TEST(Completion, OfBashOffersFlagsWordsAndFiles) {
  EXPECT_EQ(offered("--useD"), "--useDLACore=\n");
  EXPECT_EQ(offered("--fp16 --precisionConstraints="), "none obey prefer\n");
  EXPECT_EQ(offered("--precisionConstraints=o"), "obey\n");
  EXPECT_EQ(offered("--onnx=mod"), "model.onnx\n");
  EXPECT_EQ(offered("--uff"), "\n");  // refused
}

/// Types each line and the tab key into a zsh of its own; prints what the line has become.
constexpr const char* kZshScript = R"(
zmodload zsh/zpty
zpty -b sh zsh -f -i
zpty -w sh 'PS1="P> "; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d $PWD/dump; bindkey -e; stty -echo; print REA""DY'
zpty -r sh line '*READY*'
for asked in "$@"; do
  zpty -w -n sh "dlaexec $asked"$'\t\x01'"print -r -- RESUL\"\"T'<"$'\x05'">'"$'\n'
  zpty -r sh line '*RESULT<*>*'
  print -r -- ${${line##*RESULT<}%%>*}
done
zpty -d sh
)";

TEST(Completion, OfZshCompletesInIt) {
  if (::access("/usr/bin/zsh", X_OK) != 0) GTEST_SKIP() << "zsh is not installed";
  const std::string folder = test::temporary_dir();
  write_file(folder + "/_dlaexec", completion("zsh"));
  write_file(folder + "/model.onnx", "");
  write_file(folder + "/complete.zsh", kZshScript);
  const test::Outcome outcome =
      test::run_program({"/usr/bin/zsh", "-f", "complete.zsh", "--useDLAC",
                         "--precisionConstraints=ob", "--onnx=mod", "--fp1"},
                        folder);
  EXPECT_EQ(outcome.out,
            "dlaexec --useDLACore\ndlaexec --precisionConstraints=obey\n"
            "dlaexec --onnx=model.onnx\ndlaexec --fp16\n")
      << outcome.err;
}

TEST(Completion, OfFishCompletesInIt) {
  if (::access("/usr/bin/fish", X_OK) != 0) GTEST_SKIP() << "fish is not installed";
  const std::string folder = test::temporary_dir();
  write_file(folder + "/dlaexec.fish", completion("fish"));
  write_file(folder + "/model.onnx", "");
  const auto offered = [&](const std::string& line) {
    return test::run_program({"/usr/bin/fish", "--no-config", "-c",
                              "source dlaexec.fish; complete -C 'dlaexec " + line + "'"},
                             folder)
        .out;
  };
  EXPECT_THAT(offered("--useD"), HasSubstr("--useDLACore\tDLA core to run on\n"));
  EXPECT_THAT(offered("--precisionConstraints=o"), HasSubstr("--precisionConstraints=obey"));
  EXPECT_THAT(offered("--onnx=mod"), HasSubstr("--onnx=model.onnx"));
  EXPECT_EQ(offered("--uffIn"), "");  // refused
}

TEST(ManPage, IsLaidOutWithoutAWarning) {
  if (::access("/usr/bin/groff", X_OK) != 0) GTEST_SKIP() << "groff is not installed";
  const std::string folder = test::temporary_dir();
  write_file(folder + "/dlaexec.1", man_page());
  const test::Outcome outcome = test::run_program(
      {"/usr/bin/groff", "-man", "-ww", "-Tutf8", "-P-cbou", "-rLL=80n", "dlaexec.1"}, folder);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("EXIT STATUS"));
}

TEST(Completion, OfEveryShellKnowsEveryFlagThatIsNotRefused) {
  for (const FlagInfo& flag : all_flags()) {
    const bool offered = flag.effect != Effect::Refused;
    const std::string name(flag.name);
    for (const auto& [shell, text] : {std::pair<const char*, std::string>{"bash", "--" + name},
                                      {"zsh", "'--" + name},
                                      {"fish", " -l " + name + " "}})
      EXPECT_TRUE(!offered || completion(shell).find(text) != std::string::npos) << shell << text;
  }
}

TEST(ManPage, HasEveryFlagOnceAndNoLineThatRoffWouldMistake) {
  const std::string page = man_page();
  for (const FlagInfo& flag : all_flags()) {
    const std::string head = ".TP\n\\fB\\-\\-" + std::string(flag.name) + "\\fR";
    const size_t first = page.find(head + "\n") != std::string::npos  ? page.find(head + "\n")
                         : page.find(head + "=") != std::string::npos ? page.find(head + "=")
                                                                      : page.find(head + "[");
    EXPECT_NE(first, std::string::npos) << flag.name;
  }
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(!line.starts_with('.') || line.starts_with(".T") || line.starts_with(".S") ||
                line.starts_with(".B") || line.starts_with(".br"))
        << line;
}

class Log : public testing::Test {
 protected:
  test::Outcome run(std::vector<std::string> flags) {
    write_file(folder_ + "/small.onnx", small_network().bytes());
    flags.insert(flags.begin(), {DLAEXEC_PROGRAM, "--onnx=small.onnx", "--iterations=5",
                                 "--duration=0", "--warmUp=0", "--explicitBatch"});
    return test::run_program(flags, folder_);
  }
  test::Outcome run_with(std::vector<std::string> flags, const std::string& last) {
    write_file(folder_ + "/small.onnx", small_network().bytes());
    flags.insert(flags.begin(), {DLAEXEC_PROGRAM, "--onnx=small.onnx", "--warmUp=0"});
    flags.push_back(last);
    return test::run_program(flags, folder_);
  }
  std::string folder_ = test::temporary_dir();
};

TEST_F(Log, AsJsonIsOneObjectALine) {
  const test::Outcome outcome = run({"--logFormat=json"});
  ASSERT_EQ(outcome.status, 0);
  bool summary = false;
  std::set<std::string> phases;
  for (const std::string& stream : {outcome.out, outcome.err}) {
    std::istringstream lines(stream);
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line);
      EXPECT_EQ(object["ts"].get<std::string>().size(), 24u);
      phases.insert(object["phase"]);
      summary |= object["msg"] == "=== Performance summary ===";
      EXPECT_EQ(object["level"] == "info" || object["level"] == "verbose", stream == outcome.out);
    }
  }
  EXPECT_TRUE(summary);
  EXPECT_EQ(phases,
            (std::set<std::string>{"options", "parsing", "building", "setting up", "inferring"}));
}

TEST_F(Log, QuietKeepsWarningsAndTheOutcome) {
  const test::Outcome outcome = run({"--quiet"});
  EXPECT_THAT(outcome.out, Not(HasSubstr("[I]")));
  EXPECT_THAT(outcome.out, HasSubstr("&&&& PASSED"));
  EXPECT_THAT(outcome.err, HasSubstr("--explicitBatch has no effect here"));
}

TEST_F(Log, LevelsAreAsWished) {
  const auto at = [&](const char* level) { return run({std::string("--logLevel=") + level}); };
  EXPECT_THAT(at("error").err, Not(HasSubstr("[W]")));
  EXPECT_THAT(at("error").out, HasSubstr("&&&& PASSED"));
  EXPECT_THAT(at("warning").out, Not(HasSubstr("[I]")));
  EXPECT_THAT(at("warning").err, HasSubstr("[W]"));
  EXPECT_THAT(at("verbose").out, HasSubstr("[V] [TRT] Pass "));
  EXPECT_THAT(run({"-q"}).out, Not(HasSubstr("[I]")));
}

TEST_F(Log, IsColouredWhereItIsAskedFor) {
  EXPECT_THAT(run({}).err, Not(HasSubstr("\033[")));
  EXPECT_THAT(run({"--color=always"}).err, HasSubstr("\033[33m[W] --explicitBatch"));
  EXPECT_THAT(run({"--color=never"}).err, Not(HasSubstr("\033[")));
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_THAT(run({"--color=always"}).err, HasSubstr("\033["));  // said on the line, it holds
  ::unsetenv("NO_COLOR");
}

TEST_F(Log, ProgressIsShownOnStandardErrorAlone) {
  const std::string measuring = "measuring ";
  const std::vector<std::string> flags = {"--duration=0.5", "--iterations=1", "--device=cpu"};
  const test::Outcome shown = run_with(flags, "--progress=always");
  EXPECT_THAT(shown.err, HasSubstr(measuring));
  EXPECT_THAT(shown.err, HasSubstr(" of 0.5 s"));
  EXPECT_THAT(shown.out, Not(HasSubstr(measuring)));
  EXPECT_TRUE(shown.err.rfind(measuring) < shown.err.rfind("\r\033[K"));           // nothing stays
  EXPECT_THAT(run_with(flags, "--progress=auto").err, Not(HasSubstr(measuring)));  // no terminal
}

TEST(Progress, TextTellsWhatIsKnown) {
  using std::chrono::seconds;
  EXPECT_EQ(progress_text({}, seconds(1)), "");
  EXPECT_EQ(progress_text({"parsing the model"}, seconds(1)), "parsing the model ...");
  EXPECT_EQ(progress_text({"tuning", 3, 40}, seconds(9)), "tuning 3 of 40");
  EXPECT_EQ(progress_text({"tuning", 10, 40}, seconds(9)), "tuning 10 of 40, 27 s left");
  EXPECT_EQ(progress_text({"measuring", 1234, 3200, 1}, seconds(1)), "measuring 1.2 of 3.2 s");
}

TEST_F(Log, DataOnStandardOutputStandsAlone) {
  const test::Outcome outcome = run({"--exportTimes=-"});
  EXPECT_EQ(nlohmann::json::parse(outcome.out).size(), 5u);
  EXPECT_THAT(outcome.err, HasSubstr("&&&& PASSED"));
}

}  // namespace
}  // namespace dlaexec::cli
