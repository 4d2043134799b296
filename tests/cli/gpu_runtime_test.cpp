// What the command does with a CUDA device, seen from outside: the built program with a driver that
// stands in for one (tests/fake_cuda). Outputs mean nothing there; memory, errors and what is
// left behind do.
#include <cstdlib>
#include <fstream>

#include "gpu/driver.h"
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class GpuRuntime : public ProgramTest {
 protected:
  void SetUp() override {
    if (!gpu::find_nvrtc().table) GTEST_SKIP() << gpu::find_nvrtc().reason;
    // Built without the stand-in: NVRTC looks for a driver too, and expects a whole one.
    pass(
        "--onnx=small.onnx --fp16 --builderOptimizationLevel=0 --gpuArch=sm_87 --skipInference "
        "--saveEngine=m.plan");
  }
  /// Runs the command with @p flags and the stand-in, told @p variables ("FAKE_CUDA_FAIL=...").
  test::Outcome run_with_device(const std::string& flags, const std::string& variables = "") {
    const char* others = std::getenv("LD_LIBRARY_PATH");
    std::istringstream words(
        format("/usr/bin/env LD_LIBRARY_PATH={}:{} FAKE_CUDA_REPORT=report.txt {} {} {}",
               DLAEXEC_FAKE_CUDA, others ? others : "", variables, DLAEXEC_PROGRAM, flags));
    std::vector<std::string> command;
    for (std::string word; words >> word;) command.push_back(word);
    return test::run_program(command, folder());
  }
  /// The number behind "calls NAME" or "live NAME" in the stand-in's report; 0 when it is not
  /// there.
  int count(const std::string& name) const {
    std::ifstream report(folder() + "/report.txt");
    EXPECT_TRUE(report.good());
    for (std::string line; std::getline(report, line);)
      if (line.rfind(name + " ", 0) == 0) return std::stoi(line.substr(name.size() + 1));
    return 0;
  }
  void expect_nothing_left() const {
    for (const char* kind : {"memory", "host memory", "module", "stream", "event", "graph",
                             "executable graph", "context"})
      EXPECT_EQ(count(std::string("live ") + kind), 0) << kind;
  }
};

constexpr const char* kPlan = "--loadEngine=m.plan";
constexpr const char* kShort = " --iterations=3 --duration=0 --warmUp=0";

TEST_F(GpuRuntime, RunsOnTheDeviceAndLeavesNothingBehind) {
  const test::Outcome outcome = run_with_device(std::string(kPlan) + kShort);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Fake GPU"));
  EXPECT_GT(count("calls cuGraphLaunch"), 0);
  EXPECT_GT(count("calls cuMemAlloc_v2"), 0);
  EXPECT_EQ(count("calls cuMemAllocManaged"), 0);
  expect_nothing_left();
}

TEST_F(GpuRuntime, InputsAndOutputsLieInManagedMemoryWhenAsked) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort + " --useManagedMemory");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GT(count("calls cuMemAllocManaged"), 1);
  expect_nothing_left();
}

/// An input and an output a query, and none but the first two queries' when they are left out;
/// what is dumped is fetched in the end.
TEST_F(GpuRuntime, CopiesAreMadeForEachQueryOrLeftOut) {
  const auto copies = [&](const std::string& flags) {
    const test::Outcome outcome = run_with_device(std::string(kPlan) + flags);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    expect_nothing_left();
    return std::pair(count("calls cuMemcpyHtoDAsync_v2"), count("calls cuMemcpyDtoHAsync_v2"));
  };
  const std::string ten = " --iterations=10 --duration=0 --warmUp=0",
                    forty = " --iterations=40 --duration=0 --warmUp=0";
  const auto [in, out] = copies(ten);
  EXPECT_EQ(copies(forty), std::pair(in + 30, out + 30));
  EXPECT_EQ(copies(forty + " --noDataTransfers"), std::pair(in - 10 + 2, out - 10));
  EXPECT_EQ(copies(forty + " --noDataTransfers --includeDataTransfers"),
            std::pair(in + 30, out + 30));
  EXPECT_EQ(copies(forty + " --noDataTransfers --dumpOutput").second, out - 10 + 1);
}

TEST_F(GpuRuntime, EveryStreamHasMemoryAndAStreamOfItsOwn) {
  run_with_device(std::string(kPlan) + kShort);
  const int streams = count("calls cuGraphInstantiateWithFlags");
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort + " --infStreams=3 --threads");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(count("calls cuGraphInstantiateWithFlags"), 3 * streams);
  expect_nothing_left();
}

TEST_F(GpuRuntime, OutOfMemoryIsOneLineAndLeavesNothingBehind) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_MEMORY=2000");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("CUDA reports 'out of memory (CUDA_ERROR_OUT_OF_MEMORY)'"));
  EXPECT_THAT(outcome.err, HasSubstr("free device memory"));
  expect_nothing_left();
}

TEST_F(GpuRuntime, AFaultOnTheDeviceIsOneLineAndLeavesNothingBehind) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_FAIL=cuStreamSynchronize:6:700");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("an illegal memory access was encountered"));
  EXPECT_THAT(outcome.err, HasSubstr("while waiting for the device"));
  expect_nothing_left();
}

TEST_F(GpuRuntime, ADriverThatDoesNotStartIsAFindingAndTheHostRuns) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_FAIL=cuInit:1:803");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr("Fake GPU")));
}

TEST_F(GpuRuntime, ADriverOlderThanTheCodeIsSaid) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_FAIL=cuModuleLoadData:1:222");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the driver is older than the code"));
  expect_nothing_left();
}

/// The stand-in has nothing that came with CUDA 12.
TEST_F(GpuRuntime, ADriverOlderThanTheDeviceIsSaid) {
  const test::Outcome outcome =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_ARCHITECTURE=90");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the CUDA driver is too old for Fake GPU (sm_90); install one "
                                     "of CUDA 12 or later"));
  expect_nothing_left();
}

TEST_F(GpuRuntime, APlanForAnotherGpuIsBuiltWithoutItAndRefusedByThisOne) {
  EXPECT_THAT(pass("--inspect=m.plan").out, HasSubstr("GPU code for sm_87: "));
  EXPECT_THAT(pass("--inspect=m.plan").out,
              HasSubstr("tactics chosen by the cost model, not measured"));
  const test::Outcome refused =
      run_with_device(std::string(kPlan) + kShort, "FAKE_CUDA_ARCHITECTURE=75");
  EXPECT_EQ(refused.status, 5);
  EXPECT_THAT(refused.err, HasSubstr("the plan holds GPU code for sm_87, device 0 (Fake GPU) needs "
                                     "sm_75; build the plan again"));
  expect_nothing_left();
}

TEST_F(GpuRuntime, AResultWhoseSizeDataDecidesGoesOnToTheHost) {
  put("detector.onnx", detector().bytes());
  const std::string log = pass(
                              "--onnx=detector.onnx --gpuArch=sm_87 --skipInference --verbose "
                              "--saveEngine=detector.plan")
                              .out;
  EXPECT_THAT(log, HasSubstr("'sum' runs on the host: a number of rows that data decides"));
  EXPECT_THAT(log, Not(HasSubstr("'list' runs on the host")));
  const test::Outcome outcome =
      run_with_device(std::string("--loadEngine=detector.plan --dumpOutput") + kShort);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("listed: (0x3)"));  // no kernel has counted anything
  EXPECT_THAT(outcome.out, HasSubstr("total: (3)"));
  EXPECT_GT(count("calls cuGraphLaunch"), 0);
  EXPECT_THAT(outcome.out, Not(HasSubstr("H2D Latency: min = 0 ms")));
  const test::Outcome without =
      run_with_device(std::string("--loadEngine=detector.plan --noDataTransfers") + kShort);
  EXPECT_THAT(without.out, HasSubstr("H2D Latency: min = 0 ms"));
  expect_nothing_left();
}

TEST_F(GpuRuntime, AnArchitectureThatIsNotKnownIsRefusedWithTheList) {
  const test::Outcome outcome = run("--onnx=small.onnx --gpuArch=sm_53 --skipInference");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("sm_87"));
}

}  // namespace
}  // namespace dlaexec::cli
