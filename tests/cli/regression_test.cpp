// A slowdown is planted, and the built program is to find it and name the layer at fault first,
// whatever it is asked to write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "ir/npy.h"
#include "networks.h"
#include "support/json_schema.h"
#include "support/markdown_table.h"
#include "support/paths.h"
#include "support/program.h"
#include "support/xml.h"

namespace dlaexec::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Everything on the DLA, in its own formats, so that all times are modelled.
constexpr const char* kRun =
    "--onnx=net.onnx --useDLACore=0 --fp16 --allowGPUFallback --inputIOFormats=fp16:chw16 "
    "--outputIOFormats=fp16:chw16 --device=cpu --dlaTimingOnly --duration=0 --warmUp=0 "
    "--iterations=40 ";
constexpr const char* kExports =
    "--exportComparison=comparison.json --exportJUnit=junit.xml --exportMarkdown=page.md "
    "--exportAnnotations=annotations.txt ";

class Regression : public testing::Test {
 protected:
  Regression() {
    write_file(folder_ + "/net.onnx", all_on_dla().bytes());
    const test::Outcome baseline = run(std::string(kRun) + "--exportSummary=base.json");
    EXPECT_EQ(baseline.status, 0) << baseline.err;
  }

  test::Outcome run(const std::string& flags) {
    std::istringstream stream(flags);
    std::vector<std::string> command = {DLAEXEC_PROGRAM};
    for (std::string word; stream >> word;) command.push_back(word);
    return test::run_program(command, folder_);
  }
  std::string file(const std::string& name) { return read_file(folder_ + "/" + name); }
  /// Parsed, and held against its schema.
  json document(const std::string& name, const std::string& schema) {
    json read = json::parse(file(name));
    EXPECT_THAT(test::violations(
                    read, json::parse(read_file(test::source_dir() + "/scripts/schema/" + schema))),
                IsEmpty());
    return read;
  }
  /// The first line of the failure of the gate @p name of class @p group, behind its sentence.
  std::string first_culprit_in_junit(const std::string& group, const std::string& name) {
    const test::XmlElement root = test::parse_xml(file("junit.xml"));
    for (const test::XmlElement* gate : root.all("testsuite").at(0)->all("testcase"))
      if (gate->attributes.at("classname") == group && gate->attributes.at("name") == name) {
        std::istringstream lines(gate->all("failure").at(0)->text);
        std::string sentence, culprit;
        std::getline(lines, sentence);
        std::getline(lines, culprit);
        return culprit;
      }
    return "no such gate";
  }

  std::string folder_ = test::temporary_dir();
};

TEST_F(Regression, ASlowerDlaClockIsFoundWithTheGuiltyLayerFirst) {
  const test::Outcome slow = run(std::string(kRun) + kExports + "--dlaClock=400" +
                                 " --baseline=base.json --exportSummary=slow.json");
  EXPECT_EQ(slow.status, 3) << slow.out << slow.err;
  EXPECT_THAT(slow.out, HasSubstr("&&&& FAILED"));
  // The second convolution has ten times the work of the first.
  const size_t list = slow.out.find("Layers that became slower, the costliest first:\n");
  ASSERT_NE(list, std::string::npos) << slow.out;
  EXPECT_LT(slow.out.find("conv2", list), slow.out.find("conv1", list));

  const json comparison = document("comparison.json", "comparison.json");
  EXPECT_EQ(comparison["figures"][0]["verdict"], "slower");
  EXPECT_EQ(comparison["layers"][0]["layers"][0], "conv2");
  EXPECT_EQ(comparison["decisions"][0]["subject"], "DLA clock");
  EXPECT_EQ(comparison["decisions"][0]["after"], "400 MHz");
  EXPECT_EQ(comparison["gates"][0]["id"], "regression.latency");
  EXPECT_THAT(comparison["gates"][0]["culprits"][0].get<std::string>(), StartsWith("conv2"));
  EXPECT_THAT(first_culprit_in_junit("gate.regression", "latency"), StartsWith("conv2"));

  const auto rows = test::table_rows(file("page.md"));
  EXPECT_EQ(test::row_of(rows, "latency_ms").at(5), "slower");
  EXPECT_THAT(test::row_of(rows, "regression.latency").at(2), HasSubstr("slower<br>conv2"));
  const std::string page = file("page.md");
  EXPECT_LT(page.find("| conv2"), page.find("| conv1"));
  EXPECT_THAT(file("annotations.txt"), StartsWith("::error title=dlaexec gate regression.latency"));
  const json summary = document("slow.json", "summary.json");
  EXPECT_EQ(summary["gates"][0]["outcome"], "failed");
}

TEST_F(Regression, ALayerForcedToTheGpuIsFoundAndNamedFirst) {
  const test::Outcome slow =
      run(std::string(kRun) + kExports + "--layerDeviceTypes=conv2:GPU --baseline=base.json");
  EXPECT_EQ(slow.status, 3) << slow.out << slow.err;
  EXPECT_THAT(slow.err, HasSubstr("failed regression.placement: 1 layer left the DLA"));
  EXPECT_THAT(slow.err, HasSubstr("placement of conv2: dla to gpu"));
  const json comparison = document("comparison.json", "comparison.json");
  EXPECT_THAT(comparison["gates"].back()["culprits"][0].get<std::string>(),
              StartsWith("placement of conv2: dla to gpu, +"));
  EXPECT_EQ(comparison["layers"][0]["layers"][0], "conv2");
  EXPECT_THAT(first_culprit_in_junit("gate.regression", "placement"),
              StartsWith("placement of conv2: dla to gpu"));
  const auto rows = test::table_rows(file("page.md"));
  EXPECT_THAT(test::row_of(rows, "regression.placement").at(2),
              HasSubstr("left the DLA<br>placement of conv2: dla to gpu"));
}

TEST_F(Regression, TwoSummariesCompareAsABaselineDoes) {
  ASSERT_EQ(run(std::string(kRun) + "--dlaClock=400 --exportSummary=slow.json").status, 0);
  EXPECT_EQ(run("--compare=base.json,base.json").status, 0);
  EXPECT_EQ(run("--compare=base.json,slow.json").status, 3);
  EXPECT_EQ(run("--compare=slow.json,base.json").status, 0);
  EXPECT_EQ(run("--compare=base.json,slow.json --maxRegression=100000%").status, 0);
  const test::Outcome outcome = run("--compare=base.json,slow.json --json");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(json::parse(outcome.out)["layers"][0]["layers"][0], "conv2");
}

/// Takes from @p value every member that @p schema, a part of @p root, does not name.
void prune(json& value, const json& schema, const json& root) {
  if (schema.contains("$ref")) {
    const std::string name = schema["$ref"].get<std::string>().substr(sizeof "#/definitions/" - 1);
    return prune(value, root["definitions"][name], root);
  }
  if (value.is_array() && schema.contains("items"))
    for (json& item : value) prune(item, schema["items"], root);
  if (!value.is_object() || !schema.contains("properties")) return;
  const json& known = schema["properties"];
  for (auto member = value.begin(); member != value.end();) {
    if (known.contains(member.key())) {
      prune(member.value(), known[member.key()], root);
      ++member;
    } else {
      member = value.erase(member);
    }
  }
}

TEST_F(Regression, ABaselineOfAnOlderVersionIsStillCompared) {
  // What version 1 would have written of the same run.
  json old = json::parse(file("base.json"));
  const json schema = json::parse(read_file(test::source_dir() + "/scripts/schema/summary-1.json"));
  prune(old, schema, schema);
  old["schema_version"] = 1;
  write_file(folder_ + "/old.json", old.dump());
  document("old.json", "summary-1.json");
  EXPECT_EQ(run("--compare=old.json,base.json").status, 0);
  EXPECT_EQ(run(std::string(kRun) + "--dlaClock=400 --baseline=old.json").status, 3);
}

TEST_F(Regression, WhatCannotBeComparedIsRefusedUnlessForced) {
  json other = json::parse(file("base.json"));
  other["platform"]["name"] = "agx-xavier";
  write_file(folder_ + "/other.json", other.dump());
  const test::Outcome refused = run("--compare=base.json,other.json");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("the platforms differ: 'agx-orin-64' in base.json, "
                                     "'agx-xavier' in other.json; --force"));
  const test::Outcome forced = run("--compare=base.json,other.json --force");
  EXPECT_EQ(forced.status, 0) << forced.err;
  EXPECT_THAT(forced.err, HasSubstr("forced: the platforms differ"));
}

TEST_F(Regression, TwoPlansAreComparedWithoutRunning) {
  ASSERT_EQ(run(std::string(kRun) + "--saveEngine=a.plan --skipInference").status, 0);
  ASSERT_EQ(
      run(std::string(kRun) + "--saveEngine=b.plan --skipInference --layerDeviceTypes=conv2:GPU")
          .status,
      0);
  const test::Outcome diff = run("--diffPlans=a.plan,b.plan");
  EXPECT_EQ(diff.status, 0) << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("placement of conv2: dla to gpu"));
  EXPECT_THAT(diff.out, HasSubstr("Size of plan"));
  const json read = json::parse(run("--diffPlans=a.plan,b.plan --json").out);
  EXPECT_EQ(read["figures"][0]["name"], "dla_ms");
}

TEST_F(Regression, GatesOfARunAreTestedTogether) {
  const test::Outcome outcome =
      run(std::string(kRun) +
          "--maxLatency=1e-9,p99:1e9 --maxPlanSize=1B --maxMemory=dlaGlobalDRAM:1B,host:100G "
          "--maxGpuLayers=0 --requireDLA=conv* --exportJUnit=junit.xml");
  EXPECT_EQ(outcome.status, 3);
  const test::XmlElement root = test::parse_xml(file("junit.xml"));
  EXPECT_EQ(root.attributes.at("tests"), "7");
  EXPECT_EQ(root.attributes.at("failures"), "3");
  EXPECT_THAT(outcome.err, HasSubstr("3 of 7 gates failed: plan.max-size, memory.max, "
                                     "latency.max"));
}

TEST_F(Regression, SummariesOfAllKindsOfRunsFitTheirSchema) {
  write_file(folder_ + "/mixed.onnx", small_network().bytes());
  for (const std::string flags :
       {"--onnx=mixed.onnx --device=cpu", "--onnx=mixed.onnx --device=cpu --infStreams=2 --int8",
        "--onnx=mixed.onnx --device=cpu --useDLACore=1 --fp16 --allowGPUFallback "
        "--saveEngine=m.plan",
        "--loadEngine=m.plan --device=cpu --requireDLA=conv* --percentile=50,99.9",
        "--onnx=mixed.onnx --skipInference"}) {
    const test::Outcome outcome =
        run(flags + " --iterations=30 --duration=0 --warmUp=0 --exportSummary=summary.json");
    EXPECT_EQ(outcome.status, 0) << flags << outcome.err;
    document("summary.json", "summary.json");
  }
}

TEST_F(Regression, APlacementOnceWrittenIsExpectedFromThenOn) {
  ASSERT_EQ(run(std::string(kRun) + "--skipInference --exportPlacement=places.txt").status, 0);
  EXPECT_THAT(file("places.txt"), HasSubstr("conv2:DLA\n"));
  EXPECT_EQ(run(std::string(kRun) + "--skipInference --expectPlacement=places.txt").status, 0);
  const test::Outcome moved = run(std::string(kRun) +
                                  "--skipInference --layerDeviceTypes=conv2:GPU "
                                  "--expectPlacement=places.txt");
  EXPECT_EQ(moved.status, 3);
  EXPECT_THAT(moved.err, HasSubstr("failed placement.expected"));
  EXPECT_THAT(moved.err, HasSubstr("    conv2 runs on the GPU"));
  write_file(folder_ + "/places.txt", "conv2:TPU\n");
  const test::Outcome wrong =
      run(std::string(kRun) + "--skipInference --expectPlacement=places.txt");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("line 1 of places.txt is 'conv2:TPU'; write LAYER:GPU or"));
}

TEST_F(Regression, SamplesAreKeptAsANumpyArray) {
  ASSERT_EQ(run(std::string(kRun) + "--exportSamples=samples.npy").status, 0);
  const std::string bytes = file("samples.npy");
  const ir::Tensor samples = ir::read_npy(std::as_bytes(std::span(bytes)), "samples.npy");
  EXPECT_EQ(samples.type(), ir::DataType::Float32);
  EXPECT_EQ(samples.dims(), ir::Dims{40});
  EXPECT_GT(samples.as<float>()[0], 0);
}

TEST_F(Regression, ExportsOfOtherToolsAreWritten) {
  ASSERT_EQ(
      run(std::string(kRun) + "--exportGoogleBenchmark=google.json --exportBencher=bencher.json")
          .status,
      0);
  EXPECT_EQ(json::parse(file("google.json"))["benchmarks"].size(), 44u);
  EXPECT_GT(json::parse(file("bencher.json"))["net.onnx"]["latency"]["value"], 0);
}

TEST_F(Regression, RoundsOfTwoOptionSetsAreMeasuredInTurns) {
  const test::Outcome outcome =
      run(std::string(kRun) + kExports + "--abRuns=8 --abOptions=--dlaClock=400");
  EXPECT_EQ(outcome.status, 3) << outcome.out << outcome.err;
  const json comparison = document("comparison.json", "comparison.json");
  EXPECT_EQ(comparison["before"], "A");
  EXPECT_EQ(comparison["layers"][0]["layers"][0], "conv2");
}

}  // namespace
}  // namespace dlaexec::cli
