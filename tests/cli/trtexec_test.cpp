// Under the name trtexec: what scripts written for it search for on standard output and standard
// error, in the order that it has, release by release.
#include <regex>

#include "program_test.h"
#include "report/text.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

/// The time stamp that every line but the test lines begins with.
constexpr const char* kStamp = R"(\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] )";

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class UnderTheNameTrtexec : public ProgramTest {
 protected:
  UnderTheNameTrtexec() {
    std::filesystem::create_symlink(DLAEXEC_PROGRAM, path("trtexec"));
    put("broken.onnx", "no model");
  }
  test::Outcome trtexec(const std::string& flags) const {
    std::istringstream stream("./trtexec " + flags);
    std::vector<std::string> command;
    for (std::string word; stream >> word;) command.push_back(word);
    return test::run_program(command, folder());
  }
  /// @p patterns are found in lines of @p text in their order, whatever stands between.
  static void expect_in_order(const std::string& text, const std::vector<std::string>& patterns) {
    const std::vector<std::string> lines = lines_of(text);
    size_t at = 0;
    for (const std::string& pattern : patterns) {
      const std::regex wanted(pattern);
      while (at < lines.size() && !std::regex_search(lines[at], wanted)) ++at;
      ASSERT_LT(at, lines.size()) << pattern << " is not there, or before its time, in\n" << text;
      ++at;
    }
  }
};

TEST_F(UnderTheNameTrtexec, EveryReleaseHasItsLinesInOrder) {
  for (const auto& [dialect, number] : {std::pair<const char*, const char*>{"8.6", "8601"},
                                        {"10.3", "100300"},
                                        {"10.16", "101600"},
                                        {"11.1", "110100"}}) {
    SCOPED_TRACE(dialect);
    const test::Outcome outcome = trtexec(
        "--onnx=small.onnx --dumpProfile --separateProfileRun --compat=" + std::string(dialect) +
        kBrief);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const std::string name = std::string(R"(TensorRT\.trtexec \[TensorRT v)") + number +
                             R"(\] # \./trtexec --onnx=small\.onnx)";
    const std::string statistics =
        R"(: min = [0-9.e-]+ ms, max = [0-9.e-]+ ms, mean = [0-9.e-]+ ms, median = [0-9.e-]+ ms, )"
        R"(percentile\(90%\) = [0-9.e-]+ ms, percentile\(95%\) = [0-9.e-]+ ms, )"
        R"(percentile\(99%\) = [0-9.e-]+ ms$)";
    expect_in_order(
        outcome.out,
        {"^&&&& RUNNING " + name,
         "=== Model Options ===$",
         "Format: ONNX$",
         "=== Build Options ===$",
         "Precision: FP32",
         "=== System Options ===$",
         "=== Inference Options ===$",
         "Iterations: 20$",
         "=== Reporting Options ===$",
         "=== Device Information ===$",
         R"(TensorRT version: \d+\.\d+\.\d+$)",
         R"(Start parsing network model\.$)",
         R"(Finished parsing network model\. Parse time: [0-9.e-]+$)",
         R"(\[I\] \[TRT\] \[GpuLayer\] CONVOLUTION: conv1$)",
         R"(Engine built in [0-9.e-]+ sec\.$)",
         R"(Engine deserialized in [0-9.e-]+ sec\.$)",
         R"(Setting persistentCacheLimit to 0 bytes\.$)",
         "Using random values for input image$",
         R"(Input binding for image with dimensions 1x3x16x16( and type fp32)? is created\.$)",
         "Starting inference$",
         R"(Warmup completed \d+ queries over [0-9.e-]+ ms$)",
         R"(Timing trace has 20 queries over [0-9.e-]+ s$)",
         "=== Trace details ===$",
         R"(Average on 10 runs - GPU latency: [0-9.e-]+ ms - Host latency: [0-9.e-]+ ms \(enqueue [0-9.e-]+ ms\)$)",
         "=== Performance summary ===$",
         R"(Throughput: [0-9.e+]+ qps$)",
         "Latency" + statistics,
         "Enqueue Time" + statistics,
         "H2D Latency" + statistics,
         "GPU Compute Time" + statistics,
         "D2H Latency" + statistics,
         R"(Total Host Walltime: [0-9.e-]+ s$)",
         R"(Total GPU Compute Time: [0-9.e-]+ s$)",
         R"(=== Profile \(\d+ iterations \) ===$)",
         R"(   Time\(ms\)     Avg\.\(ms\)   Median\(ms\)   Time\(%\)   Layer$)",
         R"(\] +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+   conv1)",
         R"( 100\.0   Total$)",
         "^&&&& PASSED " + name});
  }
}

TEST_F(UnderTheNameTrtexec, BuildTimeAndSizeAreThoseOfTheSummary) {
  const test::Outcome outcome =
      trtexec("--onnx=small.onnx --compat=10.3 --skipInference --exportSummary=s.json");
  const Json plan = json("s.json")["plan"];
  const auto seconds = plan["ready_s"].get<float>();
  const auto mib = plan["size_bytes"].get<float>() / (1 << 20);
  EXPECT_THAT(outcome.out, HasSubstr("Engine built in " + report::number(seconds) + " sec."));
  EXPECT_THAT(outcome.out, HasSubstr("Created engine with size: " + report::number(mib) + " MiB"));
}

TEST_F(UnderTheNameTrtexec, InformationIsOnStandardOutputAndWarningsAreOnTheOther) {
  const test::Outcome outcome =
      trtexec("--onnx=small.onnx --verbose --workspace=16" + std::string(kOnDla) + kBrief);
  EXPECT_EQ(outcome.status, 0);
  const std::regex information(std::string("(&&&& (RUNNING|PASSED) .*)|(") + kStamp +
                               R"(\[[VI]\] .*))");
  const std::regex warning(std::string(kStamp) + R"(\[[WE]\] .*)");
  for (const std::string& line : lines_of(outcome.out))
    EXPECT_TRUE(std::regex_match(line, information)) << line;
  for (const std::string& line : lines_of(outcome.err))
    EXPECT_TRUE(std::regex_match(line, warning)) << line;
  EXPECT_THAT(outcome.err, HasSubstr("[W] [TRT] Layer 'pool2' (REDUCE): Unsupported on DLA. "
                                     "Switching this layer's device type to GPU."));
}

TEST_F(UnderTheNameTrtexec, FailuresEndWithItsLinesAndStatusOne) {
  const std::string none = "Failed to create engine from model or file\\.$";
  const std::string failed = "Engine set up failed$";
  const auto expect_failure = [&](const std::string& flags, std::vector<std::string> patterns) {
    const test::Outcome outcome = trtexec(flags);
    EXPECT_EQ(outcome.status, 1) << flags;
    expect_in_order(outcome.err, patterns);
    EXPECT_TRUE(std::regex_search(outcome.out, std::regex("&&&& FAILED TensorRT\\.trtexec.*\\n$")));
  };
  expect_failure("--onnx=broken.onnx", {"no ONNX model", "Failed to parse onnx file$",
                                        "Parsing model failed$", none, failed});
  expect_failure(
      "--onnx=small.onnx --useDLACore=0 --fp16",
      {"Engine could not be created from network$", "Building engine failed$", none, failed});
  expect_failure("--loadEngine=missing.plan",
                 {"Error opening engine file: missing\\.plan", none, failed});
  expect_failure("--onnx=small.onnx --loadInputs=image:missing.raw", {"Inference set up failed$"});
  expect_failure("--onnx=small.onnx --useDLACore=9", {"Cannot create DLA engine, 9 not available"});
  expect_failure("--onnx=small.onnx --nonsense", {"unknown flag --nonsense"});
}

TEST_F(UnderTheNameTrtexec, NoFlagsAreAQuestionAndPlansTellTheirRelease) {
  const test::Outcome nothing = trtexec("");
  EXPECT_EQ(nothing.status, 0);
  EXPECT_THAT(nothing.out, HasSubstr("--onnx=FILE"));
  EXPECT_THAT(nothing.out, HasSubstr("&&&& PASSED TensorRT.trtexec"));
  pass("--onnx=small.onnx --skipInference --saveEngine=m.plan");
  const test::Outcome version = trtexec("--loadEngine=m.plan --getPlanVersionOnly");
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(std::regex_search(
      version.out, std::regex(R"(Plan was created with TensorRT version \d+\.\d+\.\d+\.\d+)")));
  EXPECT_THAT(version.out, HasSubstr("&&&& PASSED"));
}

}  // namespace
}  // namespace dlaexec::cli
