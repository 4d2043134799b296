#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "support/xml.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json operation(int index) {
  return {{"name", format("op{}", index)}, {"unit", "conv"},      {"time_ms", index},
          {"share_percent", 1.0},          {"bound", "mac"},      {"utilization", 0.5},
          {"would_help", "fewer MACs"},    {"precision", "int8"}, {"layers", json::array()}};
}

/// A run with one loadable of @p operations, the later ones being slower.
json run_with(int operations) {
  json run = {
      {"model", {{"name", "net.onnx"}}},
      {"platform", {{"name", "agx-orin-64"}, {"power_mode", "MAXN"}, {"dla_mhz", 1600}}},
      {"tool", {{"name", "dlaexec"}, {"version", "0.1.0"}}},
      {"created", "today"},
      {"placement", {{"dla_layers", 3}, {"gpu_layers", 0}, {"layers", json::array()}}},
      {"plan", {{"size_bytes", 1 << 20}}},
      {"gates", json::array()},
      {"command", {"dlaexec"}},
      {"machine", json::object()},
      {"loadables",
       {{{"name", "all"}, {"kind", "modelled"}, {"error_percent", nullptr}, {"time_ms", 1.0}}}}};
  run["loadables"][0]["operations"] = json::array();
  for (int i = 0; i < operations; ++i) run["loadables"][0]["operations"].push_back(operation(i));
  return run;
}

TEST(Page, ShowsTheSlowestOperationsFirstAndFoldsAllAway) {
  const std::string page = summary_page(run_with(30).dump());
  EXPECT_NO_THROW(test::parse_xml(page));
  EXPECT_THAT(page, HasSubstr("The slowest 10 of 30 operations"));
  EXPECT_LT(page.find("op29"), page.find("op20"));
  EXPECT_LT(page.find("op20"), page.find("<details>"));
  EXPECT_GT(page.find("op19"), page.find("<details>"));
}

TEST(Page, FewOperationsStandInOneTable) {
  const std::string page = summary_page(run_with(12).dump());
  EXPECT_THAT(page, Not(HasSubstr("<details>")));
  EXPECT_LT(page.find("op0"), page.find("op11"));
}

TEST(Page, SaysThatTheErrorOfAModelledTimeIsNotKnown) {
  json run = run_with(1);
  EXPECT_THAT(summary_page(run.dump()), HasSubstr("modelled, error unknown"));
  run["loadables"][0]["error_percent"] = 7;
  EXPECT_THAT(summary_page(run.dump()), HasSubstr("modelled ± 7 %"));
}

TEST(Page, ARunWithoutADlaNamesTheMachine) {
  json run = run_with(0);
  run["platform"] = nullptr;
  run["machine"]["cpu"] = "Some CPU";
  EXPECT_THAT(summary_page(run.dump()), HasSubstr("Some CPU, no DLA; dlaexec 0.1.0"));
}

/// The heights of the columns of a page's chart.
std::vector<double> heights_in(const std::string& page) {
  std::vector<double> heights;
  const std::string before = "height=\"";
  for (size_t at = page.find("<rect"); at != std::string::npos; at = page.find("<rect", at + 1))
    heights.push_back(std::stod(page.substr(page.find(before, at) + before.size())));
  return heights;
}

TEST(Page, ColumnsAreTheLatenciesButTheSlowestHundredth) {
  json run = run_with(0);
  run["measurement"]["conditions"]["remarks"] = json::array();
  json& latency = run["figures"]["latency_ms"];
  latency = {{"kind", "measured"}, {"median", 1.0}, {"mean", 1.0},
             {"min", 1.0},         {"max", 500.0},  {"percentiles", json::object()}};
  run["figures"]["throughput_qps"]["value"] = 1000;
  for (int i = 0; i < 150; ++i) latency["samples"].push_back(1.0);
  for (int i = 0; i < 49; ++i) latency["samples"].push_back(2.0);
  latency["samples"].push_back(500.0);
  const std::string page = summary_page(run.dump());
  const std::vector<double> heights = heights_in(page);
  ASSERT_EQ(heights.size(), 48u);
  EXPECT_GT(heights.front(), 3 * heights.back());
  EXPECT_GT(heights.back(), 0);
  EXPECT_EQ(heights[20], 0);
  EXPECT_THAT(page, HasSubstr("200 samples, 1 of them beyond the right end"));
}

TEST(Page, CellsCarryTheirHeadersForNarrowScreens) {
  EXPECT_THAT(summary_page(run_with(1).dump()),
              HasSubstr(R"(<td class="n" title="MACs used %">50</td>)"));
}

}  // namespace
}  // namespace dlaexec::report
