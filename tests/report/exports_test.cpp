#include "report/exports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/log.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

const std::string kNastyName = "quote\" back\\slash\nnewline \xc3\xa9 \x01 \xff";

bench::Result two_queries() {
  bench::Result result;
  result.queries = {{201.324, 201.345, 200.11, 200.18, 201.33, 203.21, 203.22, 203.23},
                    {203.2, 203.21, 203, 203.07, 203.3, 205.2, 205.21, 205.22}};
  return result;
}

bench::Profile profile_of(const std::string& name) {
  bench::Profile profile;
  profile.iterations = 1694;
  profile.layers = {
      {"Reformatting CopyNode for Input Tensor 0 to {ForeignNode[conv1...relu9]}",
       run::Processor::Host, run::Kind::Measured, 101.64, 0.06, 0.0598, 3.23530},
      {name, run::Processor::Dla, run::Kind::Modelled, 3040.02, 1.7946, 1.7901, 96.7647},
      {"nothing", run::Processor::Host, run::Kind::Measured, 0, 0, 0, 0}};
  profile.total_ms = 3141.66;
  return profile;
}

TEST(Exports, TimesHaveOneRecordALineAndKeysInOrder) {
  const std::string text = times_json(two_queries());
  EXPECT_TRUE(
      text.starts_with("[\n  { \"startEnqMs\" : 201.324, \"endEnqMs\" : 201.345, \"startH2dMs\""));
  EXPECT_THAT(text, HasSubstr(" }\n, { \"startEnqMs\" : 203.2, "));
  EXPECT_TRUE(text.ends_with(" }\n]\n"));
  const Json json = Json::parse(text);
  ASSERT_EQ(json.size(), 2u);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json[0].items()) keys.push_back(key);
  EXPECT_THAT(keys, testing::ElementsAre("startEnqMs", "endEnqMs", "startH2dMs", "endH2dMs",
                                         "startComputeMs", "endComputeMs", "startD2hMs", "endD2hMs",
                                         "h2dMs", "computeMs", "d2hMs", "latencyMs"));
  EXPECT_NEAR(json[0]["latencyMs"].get<double>(), 0.07 + 1.88 + 0.01, 1e-6);
}

TEST(Exports, TimesLeaveTheWarmUpOut) {
  bench::Result result = two_queries();
  result.warm_up_queries = 1;
  EXPECT_EQ(Json::parse(times_json(result)).size(), 1u);
}

TEST(Exports, TimestampsKeepMicrosecondsAfterAnHour) {
  bench::Result result = two_queries();
  result.queries[0].start_compute_ms = 3600123.456;
  EXPECT_EQ(Json::parse(times_json(result))[0]["startComputeMs"], 3600123.456);
}

TEST(Exports, ProfileStartsWithTheCountAndListsStepsWithoutTimeToo) {
  const std::string text = profile_json(profile_of("fc"));
  EXPECT_TRUE(text.starts_with("[\n  { \"count\" : 1694 }\n, { \"name\" : \"Reformatting"));
  EXPECT_THAT(text, HasSubstr("{ \"name\" : \"fc\", \"timeMs\" : 3040.02, \"averageMs\" : 1.7946, "
                              "\"medianMs\" : 1.7901, \"percentage\" : 96.7647 }"));
  EXPECT_EQ(Json::parse(text).size(), 4u);
}

TEST(Exports, AnyNameGivesValidJson) {
  const Json profile = Json::parse(profile_json(profile_of(kNastyName)));
  EXPECT_THAT(profile[2]["name"].get<std::string>(),
              HasSubstr("quote\" back\\slash\nnewline \xc3\xa9"));
  const Json outputs =
      Json::parse(outputs_json({{kNastyName, ir::Tensor::of<float>({2}, {NAN, INFINITY})}}));
  EXPECT_TRUE(outputs[0]["values"][0].is_null());
  EXPECT_TRUE(outputs[0]["values"][1].is_null());
}

TEST(Exports, ProfileTableHasFixedColumns) {
  log::Capture capture;
  print_profile(profile_of("{ForeignNode[conv1...relu9]}"));
  EXPECT_EQ(capture.text(),
            "[I] \n"
            "[I] === Profile (1694 iterations ) ===\n"
            "[I]    Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer\n"
            "[I]      101.64       0.0600       0.0598       3.2   Reformatting CopyNode for Input "
            "Tensor 0 to {ForeignNode[conv1...relu9]}\n"
            "[I]     3040.02       1.7946       1.7901      96.8   {ForeignNode[conv1...relu9]}\n"
            "[I]     3141.66       1.8546       1.8499     100.0   Total\n"
            "[I] \n");
}

TEST(Exports, OutputsHaveNameDimensionsAndValues) {
  EXPECT_EQ(outputs_json({{"scores", ir::Tensor::of<float>({1, 3}, {0.0117188f, 1.5f, 3})},
                          {"flags", ir::Tensor::of<int8_t>({2}, {-1, 7})},
                          {"zero_d", ir::Tensor::scalar<int32_t>(4)}}),
            "[\n"
            "  { \"name\" : \"scores\"\n"
            "  , \"dimensions\" : \"1x3\"\n"
            "  , \"values\" : [ 0.0117188, 1.5, 3 ]\n"
            "  }\n"
            ", { \"name\" : \"flags\"\n"
            "  , \"dimensions\" : \"2\"\n"
            "  , \"values\" : [ -1, 7 ]\n"
            "  }\n"
            ", { \"name\" : \"zero_d\"\n"
            "  , \"dimensions\" : \"\"\n"
            "  , \"values\" : [ 4 ]\n"
            "  }\n"
            "]\n");
}

TEST(Exports, OutputValuesSurviveTheFile) {
  const std::vector<float> values = {1.0f / 3, 1e-30f, 16777217.f, -0.1f};
  const Json json = Json::parse(outputs_json({{"o", ir::Tensor::of<float>({4}, values)}}));
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_EQ(json[0]["values"][i].get<float>(), values[i]);
}

TEST(Exports, OutputDumpIsOneLineOfValuesPerTensor) {
  log::Capture capture;
  print_outputs({{"scores", ir::Tensor::of<float>({1, 2}, {0.5f, 1e-6f})}});
  EXPECT_EQ(capture.text(), "[I] Output Tensors:\n[I] scores: (1x2)\n[I] 0.5 1e-06\n");
}

TEST(Exports, RawBindingsAreNamedByTensorDimensionsAndType) {
  EXPECT_EQ(raw_binding_name({"a/b:0", ir::Tensor::zeros(ir::DataType::Float16, {1, 3})}, true),
            "a_b_0.input.1.3.Half.raw");
  EXPECT_EQ(raw_binding_name({"s-1", ir::Tensor::zeros(ir::DataType::Bool, {})}, false),
            "s-1.output..Bool.raw");
}

}  // namespace
}  // namespace dlaexec::report
