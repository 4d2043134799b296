// The program among other processes: signals, pipes, full disks, folders that cannot be written.
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class AmongProcesses : public ProgramTest {
 protected:
  /// Runs @p script in bash, with the program as $D.
  test::Outcome bash(const std::string& script) const {
    return test::run_program(
        {"/bin/bash", "-c", std::string("D=") + DLAEXEC_PROGRAM + "; " + script}, folder());
  }
  std::unique_ptr<test::Process> start(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), DLAEXEC_PROGRAM);
    return std::make_unique<test::Process>(flags, folder());
  }
  /// Waits until the process has written @p text; after 30 s it is not going to.
  static void wait_for(const test::Process& process, const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      if (process.output_so_far().find(text) != std::string::npos) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "'" << text << "' was not written, but " << process.output_so_far();
  }
};

TEST_F(AmongProcesses, ModelsAndPlansComeFromPipes) {
  const std::string brief = kBrief;
  EXPECT_EQ(bash("cat small.onnx | $D --onnx=-" + brief).status, 0);
  EXPECT_EQ(bash("$D --onnx=<(cat small.onnx) --saveEngine=m.plan" + brief).status, 0);
  EXPECT_EQ(bash("cat m.plan | $D --loadEngine=/dev/stdin" + brief).status, 0);
  const test::Outcome empty = bash("$D --onnx=- < /dev/null" + brief);
  EXPECT_EQ(empty.status, 1);
  EXPECT_THAT(empty.err, HasSubstr("the file is empty; an ONNX model is needed"));
}

TEST_F(AmongProcesses, AReaderThatGoesAwayEndsIt) {
  // The second one goes when everything before measuring is printed.
  for (const char* reader : {"head -1", "sed '/Starting inference/q'"}) {
    const test::Outcome outcome = bash("$D --onnx=small.onnx --duration=-1 | " +
                                       std::string(reader) + "; exit ${PIPESTATUS[0]}");
    EXPECT_EQ(outcome.status, 128 + SIGPIPE) << reader;
    EXPECT_THAT(outcome.out, HasSubstr("&&&& RUNNING"));
  }
}

TEST_F(AmongProcesses, WhatCannotBeWrittenIsAnError) {
  const std::string model = "$D --onnx=small.onnx" + std::string(kBrief);
  const test::Outcome full = bash(model + " > /dev/full");
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write to standard output: No space left on device"));
  for (const char* flag : {"exportTimes", "exportProfile", "saveEngine", "exportSummary"})
    EXPECT_EQ(bash(model + " --separateProfileRun --" + flag + "=/dev/full").status, 1) << flag;
  EXPECT_THAT(bash(model + " --exportTimes=/dev/full").err, HasSubstr("free some space"));
  EXPECT_EQ(bash("$D --help > /dev/full").status, 1);
}

TEST_F(AmongProcesses, SigtermReportsWhatWasMeasured) {
  const auto process = start({"--onnx=small.onnx", "--duration=-1", "--warmUp=0"});
  wait_for(*process, "Starting inference");
  process->send(SIGTERM);
  const test::Outcome outcome = process->wait();
  EXPECT_EQ(outcome.status, 128 + SIGTERM);
  EXPECT_THAT(outcome.out, HasSubstr("=== Performance summary ==="));
  EXPECT_THAT(outcome.out, HasSubstr("&&&& FAILED"));
}

TEST_F(AmongProcesses, SignalsEndItInEveryOtherPhaseWithALastLine) {
  ASSERT_EQ(::mkfifo(path("never").c_str(), 0600), 0);
  const auto parsing = start({"--onnx=never"});
  wait_for(*parsing, "Start parsing network model.");
  parsing->send(SIGINT);
  const test::Outcome parsed = parsing->wait();
  EXPECT_EQ(parsed.status, 128 + SIGINT);
  EXPECT_TRUE(parsed.out.ends_with("--onnx=never\n")) << parsed.out;
  EXPECT_THAT(parsed.out, HasSubstr("&&&& FAILED"));
  const auto sleeping = start({"--onnx=small.onnx", "--sleepTime=60000"});
  wait_for(*sleeping, "Starting inference");
  sleeping->send(SIGINT);
  EXPECT_EQ(sleeping->wait().status, 128 + SIGINT);
}

TEST_F(AmongProcesses, ASignalThatIsIgnoredStaysIgnored) {
  const test::Outcome outcome = bash(
      "trap '' INT; $D --onnx=small.onnx --duration=-1 --warmUp=0 > said & "
      "until grep -q 'Starting inference' said; do kill -0 $! || exit 9; sleep 0.01; done; "
      "kill -INT $! && kill -TERM $! && wait $!");
  // Had SIGINT ended measuring, SIGTERM would have been the second and the program have reported
  // nothing.
  EXPECT_EQ(outcome.status, 128 + SIGTERM) << outcome.err;
  EXPECT_THAT(get("said"), HasSubstr("=== Performance summary ==="));
}

TEST_F(AmongProcesses, TheEnvironmentGivesFlags) {
  const test::Outcome outcome = bash(
      "DLAEXEC_USE_DLA_CORE=0 DLAEXEC_ALLOW_GPU_FALLBACK=1 DLAEXEC_ITERATIONS=7 $D "
      "--onnx=small.onnx --iterations=20 --duration=0 --warmUp=0");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("DLACore: 0"));
  EXPECT_THAT(outcome.out, HasSubstr("Iterations: 20"));  // the command line wins
  const test::Outcome wrong = bash("DLAEXEC_ITERATIONS=many $D --onnx=small.onnx");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("DLAEXEC_"));
  EXPECT_EQ(bash("DLAEXEC_ITERATIONS=many $D --help").status, 0);
  EXPECT_THAT(bash("DLAEXEC_USEDLACORE=0 $D --onnx=small.onnx --skipInference").err,
              HasSubstr("did you mean DLAEXEC_USE_DLA_CORE?"));
}

}  // namespace
}  // namespace dlaexec::cli
