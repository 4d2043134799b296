#include "settings.h"
#include "environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "support/paths.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

/// The sentence of the usage error that @p arguments end in; "" when they are fine.
std::string error_of(const std::vector<std::string>& arguments) {
  log::Capture capture;
  try {
    parse_arguments(arguments);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    return error.sentence();
  }
}

std::string warnings_of(const std::vector<std::string>& arguments) {
  log::Capture capture;
  parse_arguments(arguments);
  return capture.text();
}

TEST(Settings, TakesValuesBehindEqualsAndBehindABlank) {
  const Settings s = parse_arguments(
      {"--onnx=a=b.onnx", "--useDLACore", "1", "--fp16", "--duration", "-1", "--saveEngine=x"});
  EXPECT_EQ(s.text(Flag::onnx), "a=b.onnx");
  EXPECT_EQ(s.integer(Flag::useDLACore), 1);
  EXPECT_TRUE(s.on(Flag::fp16));
  EXPECT_EQ(s.real(Flag::duration), -1);
  EXPECT_FALSE(s.on(Flag::int8));
  EXPECT_EQ(s.in_order().size(), 5u);
  EXPECT_EQ(s.in_order()[1].flag, Flag::useDLACore);
}

TEST(Settings, DefaultsAreThoseOfTheTable) {
  const Settings s = parse_arguments({});
  EXPECT_EQ(s.integer(Flag::iterations), 10);
  EXPECT_EQ(s.real(Flag::warmUp), 200);
  EXPECT_EQ(s.text(Flag::percentile), "90,95,99");
  EXPECT_EQ(s.integer(Flag::useDLACore), -1);
  EXPECT_FALSE(s.given(Flag::iterations));
}

TEST(Settings, UnknownFlagsAreAnsweredWithTheNearestOne) {
  EXPECT_EQ(error_of({"--useDlaCore=0"}),
            "unknown flag --useDlaCore, did you mean --useDLACore?; --help lists every flag");
  EXPECT_THAT(error_of({"--allowGpuFalback"}), HasSubstr("did you mean --allowGPUFallback?"));
  EXPECT_THAT(error_of({"--onxn=m"}), HasSubstr("did you mean --onnx?"));
  EXPECT_THAT(error_of({"--qqqqqqqqqqqqqq"}), testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(error_of({"model.onnx"}), HasSubstr("unexpected argument 'model.onnx'"));
  EXPECT_THAT(error_of({"--foo=1", "--fp61"}),
              testing::AllOf(HasSubstr("--foo"), HasSubstr("--fp61")));
}

TEST(Settings, ValueIsNeverTakenFromTheNextFlag) {
  EXPECT_EQ(error_of({"--saveEngine", "--fp16"}), "--saveEngine needs a value: --saveEngine=FILE");
  EXPECT_THAT(error_of({"--onnx"}), HasSubstr("needs a value"));
}

TEST(Settings, EmptyValueOfAnUnsetShellVariableCountsAsNotGiven) {
  EXPECT_THAT(warnings_of({"--calib="}), HasSubstr("[W] --calib has an empty value"));
  log::Capture capture;
  EXPECT_FALSE(parse_arguments({"--calib=", "--int8"}).given(Flag::calib));
}

TEST(Settings, NumbersMustBeNumbersAndInRange) {
  EXPECT_THAT(error_of({"--warmUp=10ms"}), HasSubstr("a number with 'ms' behind it"));
  EXPECT_THAT(error_of({"--iterations=x"}), HasSubstr("--iterations is 'x'; give a number"));
  EXPECT_THAT(error_of({"--iterations=1.5"}), HasSubstr("'.5' behind it"));
  EXPECT_THAT(error_of({"--infStreams=0"}), HasSubstr("--infStreams is 0; give 1 or more"));
  EXPECT_THAT(error_of({"--idleTime=-1"}), HasSubstr("give 0 or more"));
  EXPECT_THAT(error_of({"--iterations=99999999999999999999"}), HasSubstr("too large"));
  EXPECT_THAT(error_of({"--duration=inf"}), HasSubstr("finite"));
}

TEST(Settings, DeviceIsANumberOrTheHost) {
  log::Capture capture;
  EXPECT_EQ(parse_arguments({"--device=cpu"}).text(Flag::device), "cpu");
  EXPECT_EQ(parse_arguments({"--device=1"}).integer(Flag::device), 1);
  EXPECT_THAT(error_of({"--device=gpu"}),
              HasSubstr("--device is 'gpu'; give a number: --device=N|cpu"));
  EXPECT_THAT(error_of({"--builderOptimizationLevel=6"}), HasSubstr("give 0 to 5"));
}

TEST(Settings, TrtexecReleasesReadNumbersLeniently) {
  const Settings s = parse_arguments({"--compat=8.6", "--warmUp=10ms", "--iterations=1.5"});
  EXPECT_EQ(s.real(Flag::warmUp), 10);
  EXPECT_EQ(s.integer(Flag::iterations), 1);
}

TEST(Settings, SwitchesMeanWhatTheyAreGivenExceptUnderCompat) {
  EXPECT_THAT(warnings_of({"--fp16=0"}), HasSubstr("[W] --fp16=0 switches it off; trtexec would"));
  log::Capture capture;
  EXPECT_FALSE(parse_arguments({"--fp16=false"}).on(Flag::fp16));
  EXPECT_TRUE(parse_arguments({"--fp16=true"}).on(Flag::fp16));
  EXPECT_TRUE(parse_arguments({"--compat=8.6", "--fp16=0"}).on(Flag::fp16));
  EXPECT_THAT(error_of({"--fp16=maybe"}), HasSubstr("give true or false"));
}

TEST(Settings, OldNamesWorkWithAWarning) {
  EXPECT_THAT(warnings_of({"--streams=2"}),
              HasSubstr("[W] --streams is an old name of --infStreams"));
  EXPECT_THAT(warnings_of({"--workspace=64"}), HasSubstr("--memPoolSize=workspace:MIB"));
  EXPECT_EQ(warnings_of({"--vc"}).find("old name"), std::string::npos);
  log::Capture capture;
  EXPECT_TRUE(parse_arguments({"--buildOnly"}).on(Flag::skipInference));
}

TEST(Settings, FlagsWithoutEffectSayWhyAndRefusedOnesSayWhatToDo) {
  EXPECT_THAT(warnings_of({"--explicitBatch"}),
              HasSubstr("[W] --explicitBatch has no effect here: every ONNX model is one"));
  EXPECT_THAT(error_of({"--uff=m.uff"}),
              HasSubstr("--uff is not supported: convert the model to ONNX"));
}

TEST(Settings, CompatKnowsTheFlagsOfItsRelease) {
  EXPECT_THAT(error_of({"--compat=11.1", "--fp16"}),
              HasSubstr("trtexec 11.1 does not know --fp16"));
  EXPECT_THAT(error_of({"--compat=10.3", "--workspace=1"}), HasSubstr("does not know --workspace"));
  EXPECT_THAT(error_of({"--compat=10.3", "--buildOnly"}), HasSubstr("does not know --buildOnly"));
  EXPECT_EQ(error_of({"--compat=8.6", "--workspace=1"}), "");
  EXPECT_EQ(error_of({"--compat", "8.6", "--exportSummary=x"}), "");
  EXPECT_THAT(error_of({"--compat=9"}), HasSubstr("give one of 8.6"));
}

TEST(Settings, GivenTwiceTheLaterOneHolds) {
  EXPECT_THAT(warnings_of({"--iterations=1", "--iterations=2"}), HasSubstr("the later one, 2"));
  log::Capture capture;
  EXPECT_EQ(parse_arguments({"--iterations=1", "--iterations=2"}).integer(Flag::iterations), 2);
  EXPECT_THAT(error_of({"--compat=8.6", "--avgRuns=1", "--avgRuns=2"}), HasSubstr("given twice"));
}

TEST(Settings, OfTheEnvironmentStandBetweenFileAndCommandLine) {
  const std::string path = test::temporary_dir() + "/flags.json";
  write_file(path, R"({"flags": {"iterations": 1, "avgRuns": 1, "warmUp": 1, "fp16": true}})");
  const Settings settings = parse_arguments(
      {"--config=" + path, "--iterations=3"},
      {{"iterations", "2"}, {"avgRuns", "2"}, {"fp16", "false"}, {"exitCodes", "trtexec"}});
  EXPECT_EQ(settings.integer(Flag::iterations), 3);
  EXPECT_EQ(settings.integer(Flag::avgRuns), 2);
  EXPECT_EQ(settings.source(Flag::avgRuns), Source::Environment);
  EXPECT_EQ(settings.integer(Flag::warmUp), 1);
  EXPECT_FALSE(settings.on(Flag::fp16));
  EXPECT_EQ(settings.text(Flag::exitCodes), "trtexec");
  log::Capture capture;
  parse_arguments({}, {{"fp16", "off"}});
  EXPECT_EQ(capture.text(), "");  // trtexec would read nothing else into it
  EXPECT_EQ(parse_arguments({}, {{"compat", "10.3"}}).dialect(), Dialect::Release10_3);
}

TEST(Settings, HaveNamesInTheEnvironment) {
  const auto name = [](Flag flag) { return environment_name(info(flag)).value_or(""); };
  EXPECT_EQ(name(Flag::useDLACore), "DLAEXEC_USE_DLA_CORE");
  EXPECT_EQ(name(Flag::allowGPUFallback), "DLAEXEC_ALLOW_GPU_FALLBACK");
  EXPECT_EQ(name(Flag::inputIOFormats), "DLAEXEC_INPUT_IO_FORMATS");
  EXPECT_EQ(name(Flag::fp16), "DLAEXEC_FP16");
  EXPECT_EQ(name(Flag::noTF32), "DLAEXEC_NO_TF32");
  EXPECT_EQ(name(Flag::version), "");  // a question, and a name that others use
  std::set<std::string> names;
  for (const FlagInfo& flag : all_flags()) {
    const auto variable = environment_name(flag);
    EXPECT_TRUE(!variable || names.insert(*variable).second) << *variable;
  }
}

TEST(Settings, BesideHelpNoOtherFlagIsLookedAt) {
  EXPECT_EQ(error_of({"--nonsense", "--help=dla", "model.onnx"}), "");
  EXPECT_EQ(parse_arguments({"--nonsense", "-h"}).text(Flag::help), "");
}

TEST(Settings, DefaultsThatReleaseElevenFlipped) {
  const Settings old = parse_arguments({}), now = parse_arguments({"--compat=11.1"});
  for (const Flag flag : {Flag::noDataTransfers, Flag::useSpinWait, Flag::useCudaGraph}) {
    EXPECT_FALSE(old.on(flag));
    EXPECT_TRUE(now.on(flag));
  }
}

TEST(Settings, ShapesMayBeGivenOncePerProfile) {
  const std::vector<std::string> twice = {"--profile=0", "--optShapes=x:1", "--profile=1",
                                          "--optShapes=x:2"};
  const auto groups = parse_arguments(twice).by_group(Flag::optShapes);
  EXPECT_EQ(groups, (std::map<int64_t, std::string>{{0, "x:1"}, {1, "x:2"}}));
  EXPECT_THAT(error_of({"--optShapes=x:1", "--optShapes=x:2"}), HasSubstr("behind each --profile"));
  EXPECT_THAT(error_of({"--profile=1", "--optShapes=x:1", "--optShapes=x:2"}),
              HasSubstr("given twice"));
}

TEST(Settings, LongListsComeFromAFile) {
  const std::string path = test::temporary_dir() + "/layers";
  write_file(path, "conv1:DLA\r\nfc:GPU\n\n");
  EXPECT_EQ(parse_arguments({"--layerDeviceTypes=@" + path}).text(Flag::layerDeviceTypes),
            "conv1:DLA,fc:GPU");
}

TEST(Settings, ChoicesListTheirWords) {
  EXPECT_EQ(error_of({"--precisionConstraints=maybe"}),
            "--precisionConstraints is 'maybe'; give one of none|obey|prefer");
}

/// The flag with a value of its kind.
std::string example(const FlagInfo& flag) {
  const std::string name = "--" + std::string(flag.name);
  if (flag.kind == Kind::Switch || flag.kind == Kind::Topic || flag.kind == Kind::Report)
    return name;
  if (flag.kind == Kind::Choice)
    return name + "=" + std::string(flag.value.substr(0, flag.value.find('|')));
  return name + "=1";
}

/// Holds when giving the flag does in a dialect what its row says.
void expect_as_the_row_says(const FlagInfo& flag, const std::string& dialect, int release) {
  SCOPED_TRACE(example(flag) + " under '" + dialect + "'");
  std::vector<std::string> arguments = {example(flag)};
  if (!dialect.empty()) arguments.push_back("--compat=" + dialect);
  const std::string error = error_of(arguments);
  const bool known =
      dialect.empty() || flag.since == kOwn || (flag.since <= release && release <= flag.until);
  if (!known) {
    EXPECT_THAT(error, HasSubstr("does not know"));
  } else if (flag.effect == Effect::Refused) {
    EXPECT_THAT(error, HasSubstr("is not supported"));
  } else {
    EXPECT_EQ(error, "");
    const bool warned = warnings_of(arguments).find("has no effect here") != std::string::npos;
    EXPECT_EQ(warned, flag.effect == Effect::Ignored);
  }
}

TEST(Flags, DoInEveryDialectWhatTheirRowsSay) {
  for (const FlagInfo& flag : all_flags()) {
    if (flag.flag == Flag::compat || flag.flag == Flag::config) continue;  // read what they name
    expect_as_the_row_says(flag, "", 0);
    expect_as_the_row_says(flag, "8.6", 806);
    expect_as_the_row_says(flag, "10.3", 1003);
    expect_as_the_row_says(flag, "10.16", 1016);
    expect_as_the_row_says(flag, "11.1", 1101);
  }
}

TEST(Flags, TableIsWellFormed) {
  std::set<std::string_view> names;
  for (const FlagInfo& flag : all_flags()) {
    EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
    EXPECT_FALSE(flag.help.empty()) << flag.name;
    EXPECT_EQ(flag.note.empty(), flag.effect == Effect::Works) << flag.name;
    EXPECT_EQ(flag.value.empty(), flag.kind == Kind::Switch) << flag.name;
    EXPECT_LE(flag.since, flag.until) << flag.name;
  }
  for (const Alias& alias : all_aliases())
    EXPECT_TRUE(names.insert(alias.name).second) << alias.name;
}

}  // namespace
}  // namespace dlaexec::cli
