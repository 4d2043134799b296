// Readers of other tools, written from what trtexec's users document of its files and lines, on
// what the built program writes.
#include <array>
#include <csignal>
#include <map>
#include <regex>
#include <thread>

#include "program_test.h"
#include "support/xml.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// --- the tracer of --exportTimes
// ---------------------------------------------------------------------

struct Trace {
  double start = 0, end = 0, latency = 0, compute = 0;
};

/// One record a line, led by two blanks or a comma; every key in its place; durations that agree
/// with the timestamps.
std::vector<Trace> read_trace(const std::string& text) {
  constexpr const char* kKeys[] = {"startEnqMs",     "endEnqMs",     "startH2dMs", "endH2dMs",
                                   "startComputeMs", "endComputeMs", "startD2hMs", "endD2hMs",
                                   "h2dMs",          "computeMs",    "d2hMs",      "latencyMs"};
  const std::vector<std::string> lines = lines_of(text);
  EXPECT_EQ(lines.front(), "[");
  EXPECT_EQ(lines.back(), "]");
  std::vector<Trace> traces;
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    EXPECT_TRUE(lines[i].starts_with(i == 1 ? "  {" : ", {")) << lines[i];
    const auto record = nlohmann::ordered_json::parse(lines[i].substr(2));
    size_t key = 0;
    for (const auto& [name, value] : record.items()) EXPECT_EQ(name, kKeys[key++]);
    EXPECT_EQ(key, std::size(kKeys));
    const auto at = [&](const char* name) { return record[name].get<double>(); };
    EXPECT_NEAR(at("endComputeMs") - at("startComputeMs"), at("computeMs"), 1e-4);
    EXPECT_NEAR(at("h2dMs") + at("computeMs") + at("d2hMs"), at("latencyMs"), 1e-4);
    traces.push_back({at("startH2dMs"), at("endD2hMs"), at("latencyMs"), at("computeMs")});
  }
  return traces;
}

// --- the profiler of --exportProfile
// -----------------------------------------------------------------

struct ProfileRow {
  std::string name;
  double total = 0, mean = 0, median = 0, percentage = 0;
};

/// The first record is the count; four or five keys make a row.
std::vector<ProfileRow> read_profile(const std::string& text, int64_t& count) {
  const auto json = nlohmann::ordered_json::parse(text);
  count = json.at(0).at("count").get<int64_t>();
  std::vector<ProfileRow> rows;
  for (const auto& record : json)
    if (record.size() == 4 || record.size() == 5)
      rows.push_back({record.at("name"), record.at("timeMs"), record.at("averageMs"),
                      record.at("medianMs"), record.at("percentage")});
  return rows;
}

// --- TREx: layers, joined with the profile
// -----------------------------------------------------------

/// Bytes of an element, by the strings for which TREx has a size.
double trex_size(std::string format) {
  static const std::map<std::string, double> kSizes = {
      {"Row major linear FP32", 4},
      {"Row major linear FP16 format", 2},
      {"Row major linear Int32", 4},
      {"Row major Int8 format", 1},
      {"Four wide channel vectorized row major Int8 format", 1},
      {"Thirty-two wide channel vectorized row major Int8 format", 1},
      {"Sixteen wide channel vectorized row major FP16 format", 2},
      {"Two wide channel vectorized row major FP16 format", 2},
      {"Channel major FP16 format where channel % 8 == 0", 2},
      {"Row major INT8 format where column stride % 64 == 0", 1},
      {"Row major FP16 format where column stride % 64 == 0", 2},
      {"Channel major INT8 format where channel == 4 and column stride % 32 == 0", 1},
      {"Channel major FP16 format where channel == 4 and column stride % 32 == 0", 2}};
  std::erase(format, '.');
  const auto found = kSizes.find(format);
  return found == kSizes.end() ? 0 : found->second;
}

/// Holds when TREx can draw the graph and join the profile by position and name.
void expect_trex_reads(const nlohmann::ordered_json& graph, const std::string& profile_text) {
  int64_t count = 0;
  const std::vector<ProfileRow> profile = read_profile(profile_text, count);
  ASSERT_TRUE(graph.at("Layers").is_array() && graph.at("Bindings").is_array());
  EXPECT_FALSE(graph["Bindings"].empty());
  std::vector<std::string> names;
  for (const auto& layer : graph["Layers"]) {
    ASSERT_TRUE(layer.is_object());
    for (const char* tensors : {"Inputs", "Outputs"})
      for (const auto& tensor : layer.at(tensors)) {
        EXPECT_TRUE(tensor.at("Dimensions").is_array() && tensor.at("Name").is_string());
        EXPECT_GT(trex_size(tensor.at("Format/Datatype")), 0) << tensor.dump();
      }
    EXPECT_FALSE(layer["Outputs"].empty());
    EXPECT_TRUE(layer.at("StreamId").is_number() && layer.at("Metadata").is_string());
    EXPECT_TRUE(
        std::regex_match(layer.at("TacticValue").get<std::string>(), std::regex("0x[0-9a-f]{16}")));
    if (layer.at("LayerType") != "Constant" && layer["LayerType"] != "NoOp")
      names.push_back(layer.at("Name"));
  }
  ASSERT_EQ(names.size(), profile.size());
  double share = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(names[i], profile[i].name);
    share += profile[i].percentage;
  }
  EXPECT_NEAR(share, 100, 0.01);
}

// --- the log
// -----------------------------------------------------------------------------------------

/// A section as TREx's log reader finds it: the ruler, then "key: value" lines until one is not.
std::map<std::string, std::string> read_section(const std::string& log, const std::string& title) {
  static const std::regex kLine(R"(\[\d+/\d+/\d+-\d+:\d+:\d+\] \[I\] ([^:]+): ?([^:]*).*)");
  std::map<std::string, std::string> values;
  bool inside = false;
  for (const std::string& line : lines_of(log)) {
    if (line.find("=== " + title + " ===") != std::string::npos) {
      inside = true;
      continue;
    }
    std::smatch match;
    if (inside && !std::regex_match(line, match, kLine)) break;
    if (inside) values[match[1]] = match[2];
  }
  return values;
}

/// The number that @p pattern finds in the log.
double figure(const std::string& log, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(log, match, std::regex(pattern))) {
    ADD_FAILURE() << "nothing matches " << pattern;
    return 0;
  }
  return std::stod(match[1]);
}

class Readers : public ProgramTest {};

TEST_F(Readers, TracerReadsTimes) {
  pass("--onnx=small.onnx --exportTimes=t.json" + std::string(kOnDla) + kBrief);
  const std::vector<Trace> traces = read_trace(get("t.json"));
  ASSERT_EQ(traces.size(), 20u);
  for (size_t i = 1; i < traces.size(); ++i) EXPECT_GE(traces[i].start, traces[i - 1].start);
}

TEST_F(Readers, ProfilerReadsProfiles) {
  pass("--onnx=small.onnx --exportProfile=p.json --separateProfileRun" + std::string(kOnDla) +
       kBrief);
  int64_t count = 0;
  const std::vector<ProfileRow> rows = read_profile(get("p.json"), count);
  EXPECT_EQ(count, 20);
  double total = 0;
  for (const ProfileRow& row : rows) {
    EXPECT_NEAR(row.total, row.mean * 20, row.total * 1e-3);
    total += row.total;
  }
  for (const ProfileRow& row : rows) EXPECT_NEAR(row.percentage, row.total / total * 100, 0.01);
}

TEST_F(Readers, TrexReadsLayersAndJoinsTheProfile) {
  const std::string flags =
      " --profilingVerbosity=detailed --exportLayerInfo=l.json --exportProfile=p.json";
  for (const char* engine : {"", " --fp16", " --int8 --fp16 --useDLACore=0 --allowGPUFallback",
                             " --useDLACore=0 --fp16 --allowGPUFallback"}) {
    SCOPED_TRACE(engine);
    pass("--onnx=small.onnx" + flags + engine + kBrief);
    expect_trex_reads(json("l.json"), get("p.json"));
  }
}

TEST_F(Readers, TrexFindsOptionsInTheLog) {
  const std::string log = pass("--onnx=small.onnx" + std::string(kBrief)).out;
  EXPECT_EQ(read_section(log, "Model Options")["Model"], "small.onnx");
  EXPECT_EQ(read_section(log, "Build Options")["Precision"], "FP32");
  EXPECT_EQ(read_section(log, "Inference Options")["Iterations"], "20");
  EXPECT_FALSE(read_section(log, "Device Information")["Selected Device"].empty());
}

TEST_F(Readers, ScriptsFindTheFiguresOnStandardOutput) {
  const std::string log = pass("--onnx=small.onnx" + std::string(kOnDla) + kBrief).out;
  const double throughput = figure(log, R"(Throughput: ([0-9.e+-]+) qps)");
  const double walltime = figure(log, R"(Total Host Walltime: ([0-9.e+-]+) s)");
  EXPECT_NEAR(throughput * walltime, 20, 0.01);
  const double median = figure(log, R"(\] Latency: .*median = ([0-9.e+-]+) ms)");
  EXPECT_LE(figure(log, R"(\] Latency: min = ([0-9.e+-]+) ms)"), median);
  EXPECT_LE(median, figure(log, R"(\] Latency: .*percentile\(99%\) = ([0-9.e+-]+) ms)"));
  EXPECT_GT(figure(log, R"(GPU Compute Time: .*mean = ([0-9.e+-]+) ms)"), 0);
  EXPECT_GT(figure(log, R"(GPU latency: ([0-9.e+-]+) ms - Host latency: [0-9.e+-]+ ms)"), 0);
  EXPECT_THAT(log, HasSubstr("&&&& PASSED"));
  EXPECT_THAT(log, HasSubstr("[DlaLayer] {ForeignNode[conv1...relu2]}"));
}

TEST_F(Readers, NamesOfAnyKindGiveValidJson) {
  put("nasty.onnx", nastily_named().bytes());
  pass(
      "--onnx=nasty.onnx --profilingVerbosity=detailed --exportLayerInfo=l.json "
      "--exportProfile=p.json --exportOutput=o.json --exportTimes=t.json --exportSummary=s.json "
      "--exportBuildMetadata=b.json --exportProfileMetadata=m.json --separateProfileRun "
      "--dumpRawBindingsToFile --saveEngine=n.plan" +
      std::string(kBrief));
  for (const char* file : {"t.json", "s.json", "b.json", "m.json"}) EXPECT_NO_THROW(json(file));
  expect_trex_reads(json("l.json"), get("p.json"));
  EXPECT_EQ(json("o.json")[0]["name"], kNastyName);
  EXPECT_EQ(json("l.json")["Bindings"][1], kNastyName);
  EXPECT_THAT(json("l.json")["Layers"][0]["Metadata"].get<std::string>(), HasSubstr(kNastyName));
  EXPECT_NO_THROW(Json::parse(pass("--inspect=n.plan --json").out));
}

/// All text below an element, in order of depth.
std::string text_below(const test::XmlElement& element) {
  std::string text = element.text;
  for (const test::XmlElement& child : element.children) text += " " + text_below(child);
  return text;
}

TEST_F(Readers, NamesOfAnyKindGiveWellFormedHtml) {
  put("nasty.onnx", nastily_named().bytes());
  pass("--onnx=nasty.onnx --compareTo=fp32 --maxLatency=1000000 --exportHtml=page.html" +
       std::string(kOnDla) + kBrief);
  const test::XmlElement page = test::parse_xml(get("page.html"));
  ASSERT_EQ(page.name, "html");
  const std::string text = text_below(page);
  for (const char* part : {"median latency", "Timeline", "Inside the loadables", "Accuracy",
                           "latency.max", "passed", "nasty.onnx", kNastyName})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(Readers, PagesShowTheOperationsInsideLoadables) {
  pass("--onnx=small.onnx --exportHtml=page.html" + std::string(kOnDla) + kBrief);
  const std::string text = text_below(test::parse_xml(get("page.html")));
  EXPECT_THAT(text, HasSubstr("Inside the loadables"));
  EXPECT_THAT(text, HasSubstr("{ForeignNode[conv1...relu2]}"));
  EXPECT_THAT(text, HasSubstr("conv1 + relu1"));
}

TEST_F(Readers, PagesNeedNoDla) {
  pass("--onnx=small.onnx --exportHtml=page.html" + std::string(kBrief));
  EXPECT_THAT(text_below(test::parse_xml(get("page.html"))), HasSubstr("no DLA"));
}

// --- the process
// -------------------------------------------------------------------------------------

TEST_F(Readers, InterruptedMeasuringStillReports) {
  test::Process process(
      {DLAEXEC_PROGRAM, "--onnx=small.onnx", "--duration=-1", "--warmUp=0", "--exportTimes=t.json"},
      folder());
  while (process.output_so_far().find("Starting inference") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  process.send(SIGINT);
  const test::Outcome outcome = process.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_THAT(outcome.err, HasSubstr("Measuring was interrupted after"));
  EXPECT_THAT(outcome.out, HasSubstr("Throughput: "));
  EXPECT_FALSE(read_trace(get("t.json")).empty());
}

TEST_F(Readers, InspectingReadsTablesAndNotWeights) {
  put("heavy.onnx", heavy(100).bytes());
  pass("--onnx=heavy.onnx --skipInference --saveEngine=heavy.plan");
  pass("--onnx=small.onnx --skipInference --saveEngine=small.plan");
  ASSERT_GT(get("heavy.plan").size(), size_t{100} << 20);
  const test::Outcome light = pass("--inspect=small.plan"), full = pass("--inspect=heavy.plan");
  EXPECT_THAT(full.out, HasSubstr("matmul"));
  // 100 MiB are 25,600 pages; even read ahead 16 at a time they would show.
  EXPECT_LT(full.page_faults, light.page_faults + 400);
}

}  // namespace
}  // namespace dlaexec::cli
