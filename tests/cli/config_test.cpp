#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "support/paths.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

std::string file_of(const std::string& text) {
  const std::string path = test::temporary_dir() + "/config";
  write_file(path, text);
  return path;
}

Settings settings_of(const std::string& text, std::vector<std::string> arguments = {}) {
  log::Capture capture;
  arguments.push_back("--config=" + file_of(text));
  return parse_arguments(arguments);
}

std::string error_of(const std::string& text) {
  try {
    settings_of(text);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    EXPECT_THAT(error.what(), HasSubstr("while reading --config="));
    return error.sentence();
  }
}

constexpr const char* kJson = R"({"version": 1, "flags": {
  "fp16": true, "int8": false, "iterations": 20, "onnx": "a b.onnx", "percentile": [50, 99.9],
  "requireDLA": ["conv*", "fc"]}})";

constexpr const char* kToml = R"(# as TOML
fp16 = true
int8 = false
iterations = 20
onnx = "a b.onnx"
percentile = [50, 99.9]
requireDLA = ["conv*", "fc"]
)";

TEST(Config, JsonAndTomlHoldTheSameFlags) {
  for (const char* text : {kJson, kToml}) {
    const Settings s = settings_of(text);
    EXPECT_TRUE(s.on(Flag::fp16)) << text;
    EXPECT_FALSE(s.given(Flag::int8));
    EXPECT_EQ(s.integer(Flag::iterations), 20);
    EXPECT_EQ(s.text(Flag::onnx), "a b.onnx");
    EXPECT_EQ(s.text(Flag::percentile), "50,99.9");
    EXPECT_THAT(s.texts(Flag::requireDLA), testing::ElementsAre("conv*", "fc"));
    EXPECT_EQ(s.source(Flag::fp16), Source::File);
    EXPECT_EQ(s.source(Flag::warmUp), Source::Table);
  }
}

TEST(Config, TheCommandLineOverridesTheFile) {
  const Settings s = settings_of(kJson, {"--iterations=5", "--requireDLA=pool"});
  EXPECT_EQ(s.integer(Flag::iterations), 5);
  EXPECT_EQ(s.source(Flag::iterations), Source::CommandLine);
  EXPECT_THAT(s.texts(Flag::requireDLA), testing::ElementsAre("pool"));
}

TEST(Config, MistakesAreNamed) {
  EXPECT_THAT(error_of(R"({"flags": {"itrations": 1}})"), HasSubstr("did you mean --iterations?"));
  EXPECT_THAT(error_of(R"({"flags": {"iterations": "ten"}})"), HasSubstr("give a number"));
  EXPECT_THAT(error_of(R"({"flags": {"iterations": {"a": 1}}})"), HasSubstr("flag 'iterations'"));
  EXPECT_THAT(error_of(R"({"flags": [1]})"), HasSubstr("must be an object"));
  EXPECT_THAT(error_of(R"({"fp16": true})"), HasSubstr("'fp16' at its top"));
  EXPECT_THAT(error_of(R"({"version": 2})"), HasSubstr("version 2"));
  EXPECT_THAT(error_of(R"({"flags": )"), HasSubstr("no valid JSON"));
  EXPECT_THAT(error_of("[build]\nfp16 = true\n"), HasSubstr("table [build]"));
  EXPECT_THAT(error_of("uff = \"m.uff\"\n"), HasSubstr("convert the model to ONNX"));
}

TEST(Config, AnEmptyFileHoldsNothing) { EXPECT_TRUE(settings_of(" \n").in_order().size() == 1); }

TEST(Config, DumpIsReadBackAndNamesSources) {
  const Settings before = settings_of(kToml, {"--useDLACore=0"});
  const std::string dump = config_json(before);
  const Settings after = settings_of(dump);
  for (const FlagInfo& flag : all_flags())
    EXPECT_TRUE(flag.flag == Flag::config || after.texts(flag.flag) == before.texts(flag.flag))
        << flag.name;
  const auto json = nlohmann::json::parse(dump);
  EXPECT_EQ(json["sources"]["fp16"], "file");
  EXPECT_EQ(json["sources"]["useDLACore"], "command line");
  EXPECT_EQ(json["defaults"]["warmUp"], "200");
}

TEST(Config, GroupsOfProfilesHaveNoPlaceInAFile) {
  const Settings s = parse_arguments({"--profile=1", "--optShapes=x:1"});
  EXPECT_THROW(config_json(s), Error);
}

}  // namespace
}  // namespace dlaexec::cli
