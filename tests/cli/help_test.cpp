#include "help.h"
#include "version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "flag.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

TEST(Help, NamesEveryFlagSomewhere) {
  const std::string page = help("");
  for (const FlagInfo& flag : all_flags())
    EXPECT_THAT(page, HasSubstr("--" + std::string(flag.name))) << flag.name;
  for (const Alias& alias : all_aliases())
    EXPECT_THAT(page, HasSubstr("--" + std::string(alias.name))) << alias.name;
}

TEST(Help, LinesFitATerminal) {
  std::string page = help("");
  for (const FlagInfo& flag : all_flags()) page += help("--" + std::string(flag.name));
  for (size_t at = 0; at < page.size();) {
    const size_t end = page.find('\n', at);
    const std::string line = page.substr(at, end - at);
    EXPECT_LE(line.size(), 100u) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
    at = end + 1;
  }
}

TEST(Help, OfAGroupShowsItsFlagsAlone) {
  const std::string page = help("dla");
  EXPECT_THAT(page, HasSubstr("--useDLACore=N"));
  EXPECT_THAT(page, HasSubstr("--adjustForDLA"));
  EXPECT_THAT(page, testing::Not(HasSubstr("--onnx")));
}

TEST(Help, OfAFlagTellsDefaultReleasesAndEffect) {
  const std::string page = help("workspace");
  EXPECT_THAT(page, HasSubstr("--memPoolSize=workspace:MIB"));
  EXPECT_THAT(page, HasSubstr("trtexec 7.0 to 9.3"));
  EXPECT_THAT(help("--warmUp"), HasSubstr("(default 200)"));
  EXPECT_THAT(help("streams"), HasSubstr("--infStreams=N"));
  EXPECT_THAT(help("platform"), HasSubstr("dlaexec only"));
}

TEST(Help, OfSomethingUnknownIsAUsageError) {
  try {
    help("useDlaCore");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    EXPECT_THAT(error.sentence(), HasSubstr("did you mean --useDLACore?"));
  }
}

TEST(Help, JsonHoldsTheTable) {
  const auto json = nlohmann::json::parse(help("json"));
  EXPECT_EQ(json["flags"].size(), all_flags().size());
  for (const auto& flag : json["flags"])
    if (flag["name"] == "infStreams") {
      EXPECT_EQ(flag["default"], "1");
      EXPECT_EQ(flag["since"], "8.6");
      EXPECT_EQ(flag["aliases"][0], "streams");
    }
}

TEST(Help, VersionStartsAsGnuAsks) {
  EXPECT_TRUE(version_text().starts_with("dlaexec "));
  EXPECT_EQ(nlohmann::json::parse(version_json())["name"], "dlaexec");
}

}  // namespace
}  // namespace dlaexec::cli
