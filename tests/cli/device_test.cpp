// What happens only where there is a CUDA device, with tests/fake_cuda in its place: tuning, the
// timing cache, the device's facts. Kernels are compiled, for which NVRTC needs no device.
#include <filesystem>

#include "gpu/driver.h"
#include "on_a_device.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

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
