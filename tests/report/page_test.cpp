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

TEST(Page, CellsCarryTheirHeadersForNarrowScreens) {
  EXPECT_THAT(summary_page(run_with(1).dump()),
              HasSubstr(R"(<td class="n" title="MACs used %">50</td>)"));
}

}  // namespace
}  // namespace dlaexec::report
