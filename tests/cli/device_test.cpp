// What happens only where there is a CUDA device, with tests/fake_cuda in its place: tuning, the
// timing cache, the device's facts. Kernels are compiled, for which NVRTC needs no device.
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "gpu/driver.h"
#include "program_test.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A variable of the environment that has @p value while this lives, and then what it had.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_)
      ::setenv(name_, before_->c_str(), 1);
    else
      ::unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

class OnADevice : public ProgramTest {
 protected:
  void SetUp() override {
    if (!gpu::find_nvrtc().table) GTEST_SKIP() << gpu::find_nvrtc().reason;
    libraries_.emplace("LD_LIBRARY_PATH", DLAEXEC_FAKE_CUDA);
    kernels_.emplace("DLAEXEC_KERNEL_CACHE", kernels());
    put("product.onnx", heavy(1).bytes());
  }
  const std::string build_ = "--onnx=product.onnx --skipInference --builderOptimizationLevel=2";

 private:
  std::optional<Variable> libraries_, kernels_;

  /// Compiled once for all tests.
  static const std::string& kernels() {
    static const std::string folder = test::temporary_dir();
    return folder;
  }
};

TEST_F(OnADevice, TheTimingCacheIsFilledReadAndEnforced) {
  const std::string cached = build_ + " --timingCacheFile=t.cache";
  const test::Outcome first = pass(cached);
  EXPECT_THAT(first.err, HasSubstr("Could not read timing cache from: t.cache"));
  EXPECT_THAT(first.out, HasSubstr(" bytes of timing cache to t.cache"));
  EXPECT_THAT(get("t.cache"), HasSubstr("Fake GPU sm_87 16 MPs | "));
  const test::Outcome second = pass(cached + " --errorOnTimingCacheMiss");
  EXPECT_THAT(second.out, HasSubstr("Loaded " + std::to_string(get("t.cache").size()) +
                                    " bytes of timing cache from t.cache"));
  EXPECT_THAT(second.out, HasSubstr(" 0 problems measured"));
  const test::Outcome missed = run(build_ + " --errorOnTimingCacheMiss");
  EXPECT_EQ(missed.status, 1);
  EXPECT_THAT(missed.err, HasSubstr("the timing cache does not know"));
  EXPECT_THAT(pass(cached + " --noBuilderCache").out, Not(HasSubstr(" 0 problems measured")));
  pass(build_ + " --timingCacheFile=u.cache --noBuilderCache");
  EXPECT_FALSE(exists("u.cache"));
}

TEST_F(OnADevice, ItsCacheKnowsHowFloatsAreMultiplied) {
  const std::string cached = build_ + " --timingCacheFile=t.cache";
  pass(cached);
  EXPECT_THAT(get("t.cache"), Not(HasSubstr(" full | ")));
  EXPECT_THAT(pass(cached + " --noTF32 --saveEngine=p").out, HasSubstr(" 1 problems measured"));
  EXPECT_THAT(get("t.cache"), HasSubstr(" batch 1 full | mma "));
  pass("--loadEngine=p --iterations=1 --duration=0 --warmUp=0");
}

TEST_F(OnADevice, TheLevelSaysHowMuchIsMeasured) {
  const std::string flags = "--onnx=product.onnx --skipInference --builderOptimizationLevel=";
  EXPECT_THAT(pass(flags + "0").out, HasSubstr(" 0 problems measured"));
  EXPECT_THAT(pass(flags + "2").out, HasSubstr(" 1 problems measured"));
}

TEST_F(OnADevice, TacticsAreRepeatedAsOftenAsAsked) {
  const Variable report("FAKE_CUDA_REPORT", path("report.txt"));
  const auto replays = [&](const std::string& flags) {
    pass(build_ + flags);
    const std::string counts = get("report.txt");
    return std::stoi(counts.substr(counts.find("cuGraphLaunch ") + 14));
  };
  const int once = replays(" --minTiming=1");
  const int tactics = replays(" --minTiming=2") - once;
  EXPECT_GT(tactics, 0);
  EXPECT_EQ(replays(" --minTiming=11"), once + 10 * tactics);
  // A replay takes 10 us here, whatever it holds: the average is of so many launches.
  EXPECT_THAT(pass(build_ + " --avgTiming=4 --verbose").out, HasSubstr(" 2.50 us"));
  EXPECT_THAT(pass(build_ + " --avgTiming=20 --verbose").out, HasSubstr(" 0.50 us"));
  EXPECT_EQ(run(build_ + " --avgTiming=1000000").status, 2);
}

TEST_F(OnADevice, IsChosenAndDescribed) {
  const std::string flags = "--onnx=product.onnx --skipInference --builderOptimizationLevel=0";
  const std::string out = pass(flags + " --compat=10.3 --device=0").out;
  for (const char* line :
       {"Available Devices: ",
        "  Device 0: \"Fake GPU\" UUID: GPU-00112233-4455-6677-8899-aabbccddeeff",
        "Selected Device: Fake GPU", "Selected Device ID: 0",
        "Selected Device UUID: GPU-00112233-4455-6677-8899-aabbccddeeff", "Compute Capability: 8.7",
        "SMs: 16", "Device Global Memory: 8192 MiB", "Shared Memory per SM: 163 KiB",
        "Memory Bus Width: 256 bits (ECC disabled)", "Application Compute Clock Rate: 1.3 GHz",
        "Application Memory Clock Rate: 3.2 GHz"})
    EXPECT_THAT(out, HasSubstr(line));
  EXPECT_EQ(run(flags + " --device=1").status, 2);
  EXPECT_THAT(pass(flags + " --device=cpu").out, HasSubstr("Selected Device: host engine"));
}

/// The same with a cuBLASLt that is faster than every kernel.
class WithALibrary : public OnADevice {
 protected:
  void SetUp() override {
    OnADevice::SetUp();
    if (IsSkipped()) return;
    with_library_.emplace("LD_LIBRARY_PATH", DLAEXEC_FAKE_CUDA ":" DLAEXEC_FAKE_CUBLASLT);
  }
  /// Where the loader finds a file of the library's name without its functions.
  std::string library_that_is_none() const {
    std::filesystem::copy_file(std::string(DLAEXEC_FAKE_CUDA) + "/libcuda.so.1",
                               folder() + "/libcublasLt.so.13");
    return DLAEXEC_FAKE_CUDA ":" + folder();
  }
  const std::string sources_ = build_ + " --fp16 --tacticSources=+CUBLAS_LT";
  std::optional<Variable> with_library_;
};

TEST_F(WithALibrary, ItsProductsTakePartWhenTheyAreAskedFor) {
  const test::Outcome without = pass(build_ + " --fp16 --timingCacheFile=t.cache");
  EXPECT_THAT(get("t.cache"), Not(HasSubstr("cublaslt")));
  const test::Outcome with = pass(sources_ + " --timingCacheFile=t.cache");
  EXPECT_THAT(with.out, HasSubstr(" 1 problems measured"));
  EXPECT_THAT(get("t.cache"), HasSubstr("Fake GPU sm_87 16 MPs + cuBLASLt 13.0.0 | "));
  EXPECT_THAT(get("t.cache"), HasSubstr(" | cublaslt 130000 w4096 000000000000a190"));
  EXPECT_THAT(pass(sources_ + " --timingCacheFile=t.cache --errorOnTimingCacheMiss").out,
              HasSubstr(" 0 problems measured"));
}

TEST_F(WithALibrary, WorkspaceIsCounted) {
  pass(sources_ + " --timingCacheFile=t.cache");
  pass(sources_ + " --timingCacheFile=t.cache --memPoolSize=workspace:0.001 --saveEngine=p");
  EXPECT_THAT(pass("--inspect=p --json").out, Not(HasSubstr("cublaslt")));
}

TEST_F(WithALibrary, APlanNeedsTheLibraryThatItWasBuiltWith) {
  pass(sources_ + " --saveEngine=p");
  EXPECT_THAT(pass("--inspect=p").out, HasSubstr("measurements on Fake GPU sm_87 16 MPs + "
                                                 "cuBLASLt 13.0.0"));
  const std::string load = "--loadEngine=p --iterations=2 --duration=0 --warmUp=0";
  pass(load);
  {
    const Variable newer("FAKE_CUBLASLT_VERSION", "130100");
    const test::Outcome outcome = run(load);
    EXPECT_EQ(outcome.status, 5);
    EXPECT_THAT(outcome.err, HasSubstr("the plan takes products from cuBLASLt 13.0.0, but here is "
                                       "cuBLASLt 13.1.0 (libcublasLt.so.13); build the plan again "
                                       "here, or with --tacticSources=-CUBLAS_LT"));
  }
  const Variable broken("LD_LIBRARY_PATH", library_that_is_none());
  const test::Outcome outcome = run(load);
  EXPECT_EQ(outcome.status, 5);
  EXPECT_THAT(outcome.err, HasSubstr("the plan takes products from cuBLASLt 13.0.0, but "
                                     "libcublasLt.so.13 lacks cublasLtCreate"));
}

TEST_F(WithALibrary, WhatIsAskedForInVainIsSaid) {
  EXPECT_THAT(pass(sources_ + " --builderOptimizationLevel=0").err,
              HasSubstr("cuBLASLt has no part where nothing is measured"));
  EXPECT_THAT(pass(build_ + " --tacticSources=+CUDNN").err,
              HasSubstr("--tacticSources=+CUDNN has no effect"));
  const Variable broken("LD_LIBRARY_PATH", library_that_is_none());
  EXPECT_THAT(pass(sources_).err,
              HasSubstr("--tacticSources: libcublasLt.so.13 lacks cublasLtCreate"));
}

class WithoutADevice : public ProgramTest {};

TEST_F(WithoutADevice, TheTimingCacheIsKeptAndItSaysWhatIsNotMeasured) {
  if (gpu::find_driver().table) GTEST_SKIP() << "there is a CUDA device";
  const std::string flags = "--onnx=small.onnx --skipInference --timingCacheFile=t.cache";
  const test::Outcome outcome = pass(flags);
  EXPECT_THAT(outcome.out, HasSubstr("No GPU tactics are measured for the timing cache: "));
  EXPECT_EQ(get("t.cache"), "dlaexec timing cache 1\n");
  EXPECT_THAT(pass(flags + " --device=cpu").err, HasSubstr("neither read nor written"));
  const std::string repeated = "--onnx=small.onnx --skipInference --avgTiming=4";
  EXPECT_THAT(pass(repeated).out, HasSubstr("as often as --minTiming and --avgTiming say: "));
  EXPECT_THAT(pass(repeated + " --device=cpu").err, HasSubstr("have no effect: the host engine"));
}

}  // namespace
}  // namespace dlaexec::cli
