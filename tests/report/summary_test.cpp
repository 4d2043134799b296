#include "report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "ir/text.h"
#include "report/layer_info.h"
#include "support/json_schema.h"
#include "support/paths.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

json schema() {
  return json::parse(read_file(test::source_dir() + "/scripts/schema/summary.json"));
}

plan::Plan small_plan() {
  plan::Plan plan;
  plan.graph = ir::parse(R"(graph @g(%x: f32[1,3,8,8]) {
  const %w = f32[4,3,3,3] seed(1)
  const %b = f32[4] zero
  %y = conv(%x, %w, %b) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1], groups=1, residual=false, activation=relu, alpha=0, beta=0} : f32[1,4,8,8]
  return %y
})");
  plan.metadata.model = "small.onnx";
  plan.metadata.model_hash = std::string(32, 'a');
  plan.metadata.settings = {{std::string(kVerbositySetting), "detailed"}};
  plan::Layer layer;
  layer.name = "odd \"name\"";
  layer.type = "CONVOLUTION";
  ir::Finding finding;
  finding.rule = "conv.kernel";
  finding.value = "33x33";
  finding.reason = "DLA convolves so.";
  layer.findings = {finding};
  plan.metadata.layers = {layer};
  return plan;
}

bench::Result small_result() {
  bench::Result result;
  for (int i = 0; i < 50; ++i) {
    const double start = 2.0 * i, end = start + 2;
    result.queries.push_back({start, start, start, start, start, end, end, end});
  }
  result.step_ms = {std::vector<float>(50, 2.f)};
  return result;
}

json summary_of(const plan::Plan& plan, const bench::Result* result,
                const std::vector<run::Step>& steps) {
  Run run;
  run.command = {"dlaexec", "--onnx=small.onnx"};
  run.options = {{"onnx", "small.onnx"}};
  run.plan = &plan;
  run.result = result;
  run.steps = &steps;
  run.percentiles = {90, 99.9f};
  run.machine = this_machine();
  return json::parse(summary_json(run));
}

TEST(Summary, FitsItsSchema) {
  const plan::Plan plan = small_plan();
  const bench::Result result = small_result();
  const json summary = summary_of(plan, &result, {{"conv", "CONVOLUTION", {"conv"}}});
  EXPECT_THAT(test::violations(summary, schema()), IsEmpty());
  EXPECT_EQ(summary["timeline"], "wall");
  EXPECT_EQ(summary["figures"]["latency_ms"]["kind"], "measured");
  EXPECT_EQ(summary["figures"]["latency_ms"]["percentiles"]["p99.9"], 2);
  EXPECT_EQ(summary["placement"]["layers"][0]["reasons"][0]["rule"], "conv.kernel");
  EXPECT_EQ(summary["steps"][0]["share_percent"], 100);
}

TEST(Summary, OfABuildAloneFitsItsSchemaToo) {
  const json summary = summary_of(small_plan(), nullptr, {});
  EXPECT_THAT(test::violations(summary, schema()), IsEmpty());
  EXPECT_FALSE(summary.contains("figures"));
}

TEST(Summary, CallsEveryFigureModelledThatHoldsAModelledPart) {
  bench::Result result = small_result();
  result.timeline = run::TimelineKind::Composed;
  const json summary = summary_of(
      small_plan(), &result, {{"dla", "DLA", {"conv"}, run::Processor::Dla, run::Kind::Modelled}});
  for (const char* figure : {"latency_ms", "compute_ms", "throughput_qps", "total_compute_s"})
    EXPECT_EQ(summary["figures"][figure]["kind"], "modelled") << figure;
  EXPECT_EQ(summary["figures"]["measuring_wall_s"]["kind"], "measured");
  EXPECT_EQ(summary["figures"]["enqueue_ms"]["kind"], "measured");
  EXPECT_EQ(summary["engines"][0]["name"], "dla");
  EXPECT_FALSE(summary["steps"][0]["time_ms"].contains("samples"));
}

TEST(Summary, KeepsWhatAComparisonNeeds) {
  const plan::Plan plan = small_plan();
  const bench::Result result = small_result();
  const json summary = summary_of(plan, &result, {{"conv", "CONVOLUTION", {"conv"}}});
  EXPECT_EQ(summary["figures"]["period_ms"]["samples"], json(std::vector<float>(49, 2.f)));
  EXPECT_EQ(summary["figures"]["latency_ms"]["histogram"], json({{2, 2.03125, 50}}));
  EXPECT_EQ(summary["plan"]["steps"][0]["outputs"], json({"f32 chw"}));
}

TEST(Summary, SchemaRefusesWhatItShould) {
  const plan::Plan plan = small_plan();
  const bench::Result result = small_result();
  json summary = summary_of(plan, &result, {{"conv", "CONVOLUTION", {"conv"}}});
  summary["figures"]["latency_ms"]["kind"] = "guessed";
  summary["surprise"] = 1;
  summary.erase("machine");
  const auto found = test::violations(summary, schema());
  EXPECT_THAT(found, testing::UnorderedElementsAre(HasSubstr("guessed"), HasSubstr("surprise"),
                                                   HasSubstr("machine")));
}

// What TREx asks of the file: see the contract's section on it.
TEST(LayerInfo, HasWhatTrexReads) {
  const json info = json::parse(layer_info_json(small_plan()));
  ASSERT_EQ(info["Layers"].size(), 1u);
  EXPECT_EQ(info["Bindings"], json({"x", "y"}));
  const json& layer = info["Layers"][0];
  for (const char* key : {"Name", "LayerType", "Inputs", "Outputs"})
    EXPECT_TRUE(layer.contains(key));
  ASSERT_EQ(layer["Inputs"].size(), 1u);
  EXPECT_EQ(layer["Inputs"][0]["Dimensions"], json({1, 3, 8, 8}));
  EXPECT_EQ(layer["Inputs"][0]["Format/Datatype"], "Row major linear FP32");
  EXPECT_EQ(layer["ParameterType"], "Convolution");
  EXPECT_EQ(layer["Kernel"], json({3, 3}));
  EXPECT_EQ(layer["Weights"], json({{"Type", "Float"}, {"Count", 108}}));
  EXPECT_EQ(layer["Activation"], "RELU");
}

TEST(LayerInfo, TellsAsMuchAsThePlanWasBuiltToTell) {
  plan::Plan plan = small_plan();
  plan.metadata.settings = {};
  EXPECT_TRUE(json::parse(layer_info_json(plan))["Layers"][0].is_string());
  plan.metadata.settings = {{std::string(kVerbositySetting), "none"}};
  EXPECT_TRUE(json::parse(layer_info_json(plan))["Layers"].empty());
}

TEST(Machine, IsReadFromTheSystemsFiles) {
  const std::string root = test::temporary_dir();
  for (const char* folder : {"/proc", "/sys/devices/system/cpu/cpu0/cpufreq"})
    std::filesystem::create_directories(root + folder);
  write_file(root + "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n");
  write_file(root + "/proc/meminfo", "MemTotal:       1024 kB\n");
  write_file(root + "/proc/loadavg", "0.25 0.5 0.75 1/2 3\n");
  write_file(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  const Machine machine = this_machine(root);
  EXPECT_EQ(machine.cpu, "Some CPU @ 2 GHz");
  EXPECT_EQ(machine.memory_bytes, 1 << 20);
  EXPECT_EQ(machine.load, 0.25);
  EXPECT_EQ(machine.governor, "performance");
  EXPECT_EQ(this_machine(root + "/nowhere").cpu, "");
  std::filesystem::create_directories(root + "/var/lib/nvpmodel");
  write_file(root + "/var/lib/nvpmodel/status", "pmode:0002\n");
  EXPECT_EQ(this_machine(root).power_mode, "pmode:0002");
}

TEST(Machine, IsCalledAsItsBoardWhereTheProcessorHasNoName) {
  const std::string root = test::temporary_dir();
  for (const char* folder : {"/proc", "/proc/device-tree"})
    std::filesystem::create_directories(root + folder);
  write_file(root + "/proc/cpuinfo", "processor\t: 0\nCPU part\t: 0xd42\n");
  write_file(root + "/proc/device-tree/model", std::string("NVIDIA Jetson AGX Orin\0", 23));
  EXPECT_EQ(this_machine(root).cpu, "NVIDIA Jetson AGX Orin");
}

TEST(Machine, ClocksThrottlingAndProcessorTimeAreReadFromTheSystemsFiles) {
  const std::string root = test::temporary_dir();
  for (const char* folder :
       {"/proc", "/sys/devices/system/cpu/cpu0/cpufreq",
        "/sys/devices/system/cpu/cpu0/thermal_throttle", "/sys/devices/system/cpu/cpu1/cpufreq"})
    std::filesystem::create_directories(root + folder);
  write_file(root + "/proc/stat", "cpu  100 10 20 9999 7 30 40 0 0 0\ncpu0 1 2 3\n");
  write_file(root + "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2000000\n");
  write_file(root + "/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "1000000\n");
  write_file(root + "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n");
  const Activity activity = activity_now(root);
  EXPECT_EQ(activity.clock_mhz, 1500);
  EXPECT_EQ(activity.throttle_events, 5);
  EXPECT_GT(activity.busy_s, 0);
  EXPECT_EQ(activity_now(root + "/nowhere").busy_s, 0);
}

TEST(Machine, DisturbancesAreSaid) {
  const Activity before{2000, 3, 100, 50, 1000};
  EXPECT_THAT(conditions_between(before, {1990, 3, 110.5, 60, 1010}).sentences(), IsEmpty());
  // In 10 s all processes together took 20 s, this one 5 of them.
  const Conditions disturbed = conditions_between(before, {1200, 5, 120, 55, 1010});
  EXPECT_EQ(disturbed.other_cores, 1.5);
  EXPECT_THAT(disturbed.sentences(),
              testing::ElementsAre("the processor throttled 2 times while measuring",
                                   "the processor's clock went from 2000 to 1200 MHz while "
                                   "measuring",
                                   "other programs kept 1.5 cores busy while measuring"));
}

}  // namespace
}  // namespace dlaexec::report
