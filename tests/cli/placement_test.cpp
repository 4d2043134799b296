// Placement as people meet it on the command line of the built program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "dla/rules.h"
#include "networks.h"
#include "support/paths.h"
#include "support/program.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class PlacementCommand : public testing::Test {
 protected:
  test::Outcome run(const std::string& flags) {
    std::istringstream stream(flags);
    std::vector<std::string> command = {DLAEXEC_PROGRAM};
    for (std::string word; stream >> word;) command.push_back(word);
    return test::run_program(command, folder_, test::Errors::IntoOutput);
  }
  void put(const std::string& name, test::OnnxModel model) {
    write_file(folder_ + "/" + name, model.bytes());
  }
  std::string get(const std::string& name) { return read_file(folder_ + "/" + name); }
  bool exists(const std::string& name) { return std::filesystem::exists(folder_ + "/" + name); }

  std::string folder_ = test::temporary_dir();
};

/// The word of @p text that starts with @p start, without what ends a clause.
std::string word_of(const std::string& text, const std::string& start) {
  const size_t at = text.find(start);
  if (at == std::string::npos) return "";
  return text.substr(at, text.find_first_of(" \n;)", at) - at);
}

TEST_F(PlacementCommand, TheFlagsThatAreAskedForMakeTheBuildWorkWithoutFallback) {
  put("net.onnx", all_on_dla());
  for (const std::string precision : {"--fp16", "--int8"}) {
    const std::string command = "--onnx=net.onnx --useDLACore=0 --skipInference " + precision;
    const test::Outcome refused = run(command);
    EXPECT_EQ(refused.status, 1) << refused.out;
    const std::string in = word_of(refused.out, "--inputIOFormats=");
    const std::string out = word_of(refused.out, "--outputIOFormats=");
    ASSERT_NE(in, "") << refused.out;
    ASSERT_NE(out, "") << refused.out;
    const test::Outcome pasted = run(command + " " + in + " " + out);
    EXPECT_EQ(pasted.status, 0) << in << " " << out << "\n" << pasted.out;
    EXPECT_THAT(pasted.out, HasSubstr("No layer is running on GPU"));
    EXPECT_THAT(pasted.out, Not(HasSubstr("Reformatting CopyNode")));
  }
}

TEST_F(PlacementCommand, ExplainsAsJsonWithoutABuild) {
  put("net.onnx", small_network());
  const test::Outcome outcome = run(
      "--onnx=net.onnx --useDLACore=0 --fp16 --explain=why.json --skipBuild --saveEngine=no.plan");
  EXPECT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_FALSE(exists("no.plan"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("Engine built")));
  const auto json = nlohmann::json::parse(get("why.json"));
  EXPECT_EQ(json["schema"], "dlaexec.explain/1");
  size_t refused = 0;
  for (const auto& layer : json["layers"])
    if (layer["device"] == "gpu") {
      EXPECT_FALSE(layer["findings"].empty()) << layer;
      ++refused;
    }
  EXPECT_GT(refused, 0u);
}

TEST_F(PlacementCommand, ExplainsBeforeABuildThatFails) {
  put("net.onnx", small_network());
  const test::Outcome outcome = run("--onnx=net.onnx --useDLACore=0 --fp16 --explain");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("to do: write the global average as an AveragePool"));
  EXPECT_THAT(outcome.out, HasSubstr("cannot run on the DLA, and GPU fallback is off"));
}

TEST_F(PlacementCommand, ExplainsWhatALoadedPlanRemembers) {
  put("net.onnx", small_network());
  ASSERT_EQ(run("--onnx=net.onnx --useDLACore=0 --fp16 --allowGPUFallback --saveEngine=m.plan "
                "--skipInference")
                .status,
            0);
  const test::Outcome outcome = run("--loadEngine=m.plan --skipInference --explain=why.json");
  ASSERT_EQ(outcome.status, 0) << outcome.out;
  EXPECT_THAT(get("why.json"), HasSubstr("reduce.kind"));
}

TEST_F(PlacementCommand, ListsTheRulesOfTheTableInBothForms) {
  EXPECT_EQ(run("--listDlaRules").out, dla::rules_text());
  EXPECT_EQ(run("--listDlaRules=json").out, dla::rules_json());
  EXPECT_EQ(run("--listDlaRules --json").out, dla::rules_json());
  EXPECT_EQ(run("--listDlaRules=yaml").status, 2);
}

TEST_F(PlacementCommand, WarnsOfRuleEditionsThatAreNotTheBoardsOwn) {
  put("net.onnx", all_on_dla());
  const std::string command =
      "--onnx=net.onnx --useDLACore=0 --fp16 --allowGPUFallback --skipInference ";
  EXPECT_THAT(run(command).out, Not(HasSubstr("rules")));
  EXPECT_THAT(run(command + "--dlaRules=8.5").out,
              HasSubstr("the DLA rules of TensorRT 8.5 are applied; the newest for Jetson AGX Orin "
                        "64 are those of 10.x"));
  EXPECT_THAT(run(command + "--platform=agx-xavier --dlaRules=10.x").out,
              HasSubstr("TensorRT 10.x does not know the DLA of Jetson AGX Xavier"));
}

}  // namespace
}  // namespace dlaexec::cli
