#include "job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/log.h"

namespace dlaexec::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Job job_of(std::vector<std::string> arguments) {
  log::Capture capture;
  arguments.push_back("--onnx=m.onnx");
  return make_job(parse_arguments(arguments));
}

TEST(Job, DeviceChoosesTheEngineForBuildingAndRunning) {
  EXPECT_EQ(job_of({}).build.gpu_device, 0);
  EXPECT_EQ(job_of({"--device=2"}).inference.engine.gpu_device, 2);
  EXPECT_FALSE(job_of({"--device=cpu"}).build.gpu_device);
  EXPECT_FALSE(job_of({"--device=cpu"}).inference.engine.gpu_device);
}

TEST(Job, TuningFlagsReachTheBuilder) {
  const Job job =
      job_of({"--timingCacheFile=t", "--builderOptimizationLevel=1", "--errorOnTimingCacheMiss",
              "--useDLACore=0", "--adjustForDLA", "--avgTiming=4"});
  EXPECT_EQ(job.build.timing_cache, "t");
  EXPECT_EQ(job.build.optimization_level, 1);
  EXPECT_TRUE(job.build.error_on_timing_cache_miss);
  EXPECT_TRUE(job.build.adjust_for_dla);
  EXPECT_EQ(job.build.repetitions.launches, 4);
  EXPECT_FALSE(job.build.repetitions.averages);
  EXPECT_EQ(job_of({"--minTiming=3"}).build.repetitions.averages, 3);
  EXPECT_EQ(job_of({"--timingCacheFile=t", "--noBuilderCache"}).build.timing_cache, "");
  EXPECT_TRUE(job.build.tf32);
  EXPECT_FALSE(job_of({"--noTF32"}).build.tf32);
  EXPECT_THAT(job.build.libraries, IsEmpty());
  EXPECT_THAT(job_of({"--tacticSources=-CUDNN,+cublas_lt"}).build.libraries,
              ElementsAre(gpu::LibraryKind::CublasLt));
  EXPECT_THAT(job_of({"--tacticSources=+CUDNN,-CUBLAS_LT"}).build.libraries,
              ElementsAre(gpu::LibraryKind::Cudnn));
}

TEST(Job, ThePlacementFlagsReachTheBuilder) {
  EXPECT_EQ(job_of({}).build.subgraph_order, place::SubgraphOrder::Benefit);
  EXPECT_EQ(job_of({"--dlaSubgraphOrder=network"}).build.subgraph_order,
            place::SubgraphOrder::Network);
  EXPECT_EQ(job_of({"--dlaRules=8.6"}).build.dla_rules, dla::Edition::V8_6);
  EXPECT_TRUE(job_of({"--explain", "--skipBuild"}).skip_build);
  EXPECT_FALSE(job_of({"--explain=out.json"}).skip_build);
}

TEST(Job, ContradictionsAreUsageErrors) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--loadEngine=p", "--saveEngine=q"},
           {"--buildDLAStandalone"},
           {"--useDLACore=0", "--buildDLAStandalone", "--allowGPUFallback"},
           {"--useDLACore=0", "--buildDLAStandalone"},
           {"--useDLACore=0", "--buildDLAStandalone", "--inputIOFormats=fp32:chw",
            "--outputIOFormats=fp16:chw16"},
           {"--onnx=m", "--runLoadable=l"},
           {"--dlaTimingOnly", "--noDlaReplay"},
           {"--duration=-2"},
           {"--skipBuild"},
           {"--useDLACore=7"}})
    EXPECT_THROW(job_of(arguments), Error) << arguments.front();
}

}  // namespace
}  // namespace dlaexec::cli
