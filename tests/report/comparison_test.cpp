#include "report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/file.h"
#include "base/log.h"
#include "report/comparison_text.h"
#include "support/json_schema.h"
#include "support/markdown_table.h"
#include "support/paths.h"

namespace dlaexec::report {
namespace {

using measure::Verdict;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<float> noise(unsigned seed, double middle) {
  std::mt19937 random(seed);
  std::normal_distribution<double> distribution(middle, 0.02 * middle);
  std::vector<float> series(200);
  for (float& sample : series) sample = static_cast<float>(distribution(random));
  return series;
}

RecordedPart on_dla(const std::string& layer, double ms) {
  RecordedPart part;
  part.name = layer;
  part.engine = "dla";
  part.layers = {layer};
  part.is_modelled = true;
  part.median_ms = ms;
  return part;
}

RecordedPart on_host(const std::string& layer, double ms, unsigned seed) {
  RecordedPart part = on_dla(layer, ms);
  part.engine = "host";
  part.is_modelled = false;
  part.samples = noise(seed, ms);
  return part;
}

/// A run of @p parts one after the other; layers lie where the parts do.
Recorded run_of(const std::string& source, std::vector<RecordedPart> parts) {
  Recorded run;
  run.source = source;
  run.timeline = "composed";
  run.platform = "agx-orin-64";
  run.machine = "Some CPU, 2 cores";
  RecordedFigure latency{"latency_ms", 0, std::vector<float>(200, 0.f)};
  for (const RecordedPart& part : parts) {
    latency.value += part.median_ms;
    for (size_t i = 0; i < latency.samples.size(); ++i)
      latency.samples[i] +=
          part.samples.empty() ? static_cast<float>(part.median_ms) : part.samples[i];
    for (const std::string& layer : part.layers)
      run.layers.push_back({layer, part.engine == "dla" ? "dla" : "gpu", "f16", ""});
  }
  run.figures = {latency};
  run.parts = std::move(parts);
  return run;
}

const FigureChange& latency(const RunComparison& comparison) { return comparison.figures.at(0); }

TEST(Comparison, NamesTheGuiltyLayerFirst) {
  const Recorded before = run_of("a", {on_dla("conv1", 1), on_dla("conv2", 2), on_dla("fc", 1)});
  const Recorded after = run_of("b", {on_dla("conv1", 1.1), on_dla("conv2", 4), on_dla("fc", 1)});
  const RunComparison c = compare(before, after, 0.05);
  EXPECT_EQ(latency(c).comparison.verdict, Verdict::Slower);
  ASSERT_EQ(c.guilty().size(), 2u);
  EXPECT_EQ(c.guilty()[0]->name(), "conv2");
  EXPECT_NEAR(c.guilty()[0]->cost_ms, 2, 1e-9);
  const std::vector<Gate> gates = gates_of(c);
  EXPECT_EQ(gates[0].id, "regression.latency");
  EXPECT_EQ(gates[0].outcome, Outcome::Failed);
  EXPECT_THAT(gates[0].culprits[0], HasSubstr("conv2 (dla): 2 to 4 ms, +2 ms (+100.0 %)"));
  EXPECT_EQ(gates[1].outcome, Outcome::Passed);
}

TEST(Comparison, ModelledTimesCompareExactly) {
  const Recorded before = run_of("a", {on_dla("conv", 1)});
  EXPECT_EQ(latency(compare(before, run_of("b", {on_dla("conv", 1.049)}), 0.05)).comparison.verdict,
            Verdict::Same);
  EXPECT_EQ(latency(compare(before, run_of("b", {on_dla("conv", 1.051)}), 0.05)).comparison.verdict,
            Verdict::Slower);
  EXPECT_EQ(latency(compare(before, run_of("b", {on_dla("conv", 0.9)}), 0.05)).comparison.verdict,
            Verdict::Faster);
}

TEST(Comparison, MeasuredTimesCompareByTheirSamples) {
  const Recorded before = run_of("a", {on_host("conv", 1, 1)});
  EXPECT_EQ(latency(compare(before, run_of("b", {on_host("conv", 1, 2)}), 0.05)).comparison.verdict,
            Verdict::Same);
  const RunComparison slower = compare(before, run_of("b", {on_host("conv", 1.1, 3)}), 0.05);
  EXPECT_EQ(latency(slower).comparison.verdict, Verdict::Slower);
  EXPECT_LT(latency(slower).comparison.shift.low, latency(slower).comparison.shift.high);
}

TEST(Comparison, ALayerThatLeftTheDlaFailsEvenWhenItIsFaster) {
  Recorded after = run_of("b", {on_dla("conv1", 1), on_host("conv2", 1.5, 1)});
  after.layers[1].reason = "DLA convolves so. [conv.kernel]";
  const RunComparison c =
      compare(run_of("a", {on_dla("conv1", 1), on_dla("conv2", 2)}), after, 0.05);
  const Decision& moved = c.decisions.at(0);
  EXPECT_EQ(moved.kind, "placement");
  EXPECT_EQ(moved.subject, "conv2");
  EXPECT_EQ(moved.before, "dla");
  EXPECT_EQ(moved.after, "gpu");
  EXPECT_NEAR(*moved.cost_ms, -0.5, 0.05);
  const Gate gate = gates_of(c).back();
  EXPECT_EQ(gate.id, "regression.placement");
  EXPECT_EQ(gate.outcome, Outcome::Failed);
  EXPECT_THAT(gate.culprits, ElementsAre(HasSubstr("placement of conv2: dla to gpu")));
  EXPECT_THAT(gate.culprits[0], HasSubstr("[conv.kernel]"));
}

TEST(Comparison, WhatIsFusedInOneRunIsComparedAsAWhole) {
  RecordedPart fused = on_dla("conv", 3);
  fused.layers = {"conv", "relu"};
  const RunComparison c =
      compare(run_of("a", {fused, on_dla("fc", 1)}),
              run_of("b", {on_dla("conv", 3), on_dla("relu", 1), on_dla("fc", 1)}), 0.05);
  EXPECT_THAT(c.layers.at(0).layers, ElementsAre("conv", "relu"));
  EXPECT_EQ(c.layers.at(0).comparison.before, 3);
  EXPECT_EQ(c.layers.at(0).comparison.after, 4);
  EXPECT_EQ(c.decisions.at(0).kind, "fusion");
  EXPECT_EQ(c.decisions.at(0).before, "conv+relu");
  EXPECT_EQ(c.decisions.at(0).after, "conv | relu");
  EXPECT_EQ(c.decisions.at(0).cost_ms, 1);
}

TEST(Comparison, ListsTacticsFormatsPrecisionsStepsAndSettingsWithTheirCost) {
  Recorded before = run_of("a", {on_dla("conv", 1), on_dla("pool", 1), on_dla("fc", 1)});
  Recorded after = run_of("b", {on_dla("conv", 2), on_dla("pool", 1.5), on_dla("fc", 1.25)});
  before.parts[0].tactic = "all-resident, 1 strip";
  after.parts[0].tactic = "single-group, 4 strips";
  before.parts[1].formats = "f16 chw16 to f16 chw16";
  after.parts[1].formats = "f16 dla_linear to f16 chw16";
  before.layers[2].precision = "i8";
  RecordedPart reformat;
  reformat.name = "reformat x";
  reformat.engine = "host";
  reformat.samples = noise(1, 0.1);
  reformat.median_ms = 0.1;
  after.parts.push_back(reformat);
  before.power_mode = "MAXN";
  after.power_mode = "15W";
  before.sizes = {{"plan", 100}, {"weights", 7}};
  after.sizes = {{"plan", 120}, {"weights", 7}};
  const RunComparison c = compare(before, after, 0.05);
  std::vector<std::string> found;
  for (const Decision& decision : c.decisions) found.push_back(sentence(decision));
  EXPECT_THAT(found, ElementsAre("setting of power mode: MAXN to 15W, +1.75 ms",
                                 "tactic of conv: all-resident, 1 strip to single-group, 4 strips, "
                                 "+1 ms",
                                 "format of pool: f16 chw16 to f16 chw16 to f16 dla_linear to f16 "
                                 "chw16, +0.5 ms",
                                 "precision of fc: i8 to f16, +0.25 ms",
                                 "step of reformat x: nothing to host, +0.1 ms"));
  ASSERT_EQ(c.sizes.size(), 1u);
  EXPECT_EQ(sentence(c.sizes[0]), "plan: 100 to 120 bytes (+20.0 %)");
}

TEST(Comparison, OfTheSameRunFindsNothing) {
  const Recorded run = run_of("a", {on_dla("conv", 1), on_host("fc", 1, 1)});
  const RunComparison c = compare(run, run, 0.05);
  EXPECT_THAT(c.decisions, IsEmpty());
  EXPECT_THAT(c.sizes, IsEmpty());
  EXPECT_THAT(c.guilty(), IsEmpty());
  for (const Gate& gate : gates_of(c)) EXPECT_EQ(gate.outcome, Outcome::Passed) << gate.sentence;
}

TEST(Comparison, OtherTimelinesEnginesMachinesAndPlatformsAreObstacles) {
  const Recorded run = run_of("a", {on_host("fc", 1, 1)});
  EXPECT_THAT(obstacles(run, run), IsEmpty());
  Recorded other = run;
  other.timeline = "wall";
  EXPECT_THAT(obstacles(run, other), ElementsAre(HasSubstr("timelines differ")));
  other = run;
  other.parts[0].engine = "gpu";
  EXPECT_THAT(obstacles(run, other),
              ElementsAre("the engines beside the DLA differ: 'host' in a, 'gpu' in a"));
  other = run;
  other.machine = "Other CPU, 8 cores";
  EXPECT_THAT(obstacles(run, other), ElementsAre(HasSubstr("machines differ")));
  other = run;
  other.platform = "agx-xavier";
  EXPECT_THAT(obstacles(run, other), ElementsAre(HasSubstr("platforms differ")));
}

TEST(Comparison, OfModelledTimesAsksNothingOfTheMachine) {
  const Recorded run = run_of("a", {on_dla("conv", 1)});
  Recorded other = run;
  other.machine = "Other CPU, 8 cores";
  EXPECT_THAT(obstacles(run, other), IsEmpty());
}

TEST(Comparison, RoundsCancelWhatDisturbsBothSides) {
  // The machine slows down by a half over the run; B is as fast as A.
  std::vector<float> a = noise(1, 1), b = noise(2, 1);
  for (size_t i = 0; i < a.size(); ++i) {
    const float drift = 1 + 0.5f * static_cast<float>(i) / 200;
    a[i] *= drift;
    b[i] *= drift;
  }
  Recorded before = run_of("a", {on_host("conv", 1, 1)}), after = before;
  before.figures[0].samples = before.parts[0].samples = a;
  after.figures[0].samples = after.parts[0].samples = b;
  EXPECT_EQ(latency(compare(before, after, 0.05, Pairing::Rounds)).comparison.verdict,
            Verdict::Same);
  EXPECT_EQ(latency(compare(before, after, 0.05)).comparison.verdict, Verdict::Inconclusive);
  for (float& sample : after.figures[0].samples) sample *= 1.1f;
  EXPECT_EQ(latency(compare(before, after, 0.05, Pairing::Rounds)).comparison.verdict,
            Verdict::Slower);
}

/// A comparison with a bit of everything, and names that are hard to print.
RunComparison rich() {
  Recorded before = run_of("a|b.json", {on_dla("conv*1", 1), on_dla("fc", 1)});
  Recorded after = run_of("c.json", {on_dla("conv*1", 2), on_host("fc", 3, 1)});
  before.sizes = {{"plan", 100}};
  after.sizes = {{"plan", 120}};
  after.remarks = {"other programs kept 1.5 cores busy"};
  RecordedPart gone = on_dla("gone", 0.5);
  before.parts.push_back(gone);
  return compare(before, after, 0.05);
}

TEST(ComparisonJson, FitsItsSchemaAndNamesTheGuiltyLayerFirst) {
  const RunComparison c = rich();
  const json read = json::parse(comparison_json(c, gates_of(c)));
  const json schema =
      json::parse(read_file(test::source_dir() + "/scripts/schema/comparison.json"));
  EXPECT_THAT(test::violations(read, schema), IsEmpty());
  EXPECT_EQ(read["layers"][0]["layers"][0], "fc");
  EXPECT_EQ(read["gates"][0]["outcome"], "failed");
  EXPECT_THAT(read["gates"][0]["culprits"][0].get<std::string>(), HasSubstr("fc (dla to host)"));
}

TEST(Markdown, TablesAreReadBackCellByCell) {
  const RunComparison c = rich();
  const std::vector<Gate> gates = gates_of(c);
  const auto rows = test::table_rows(markdown(gates, &c));
  const auto row = [&](const std::string& first) { return test::row_of(rows, first); };
  EXPECT_EQ(row("regression.latency").at(1), "failed");
  EXPECT_THAT(row("regression.latency").at(2), HasSubstr("<br>fc (dla to host)"));
  EXPECT_EQ(row("latency_ms").at(5), "slower");
  EXPECT_EQ(row("conv*1").at(5), "+1");
  const std::string page = markdown(gates, &c);
  EXPECT_THAT(page, HasSubstr("### c.json against a\\|b.json"));
  EXPECT_LT(page.find("| fc |"), page.find("| conv\\*1 |"));
  EXPECT_THAT(page, HasSubstr("- plan: 100 to 120 bytes"));
}

TEST(Annotations, AreWorkflowCommandsWithTheirEscapes) {
  const std::vector<Gate> gates = {
      {"latency.max", Outcome::Failed, "100 % more: 2 ms", {"conv1, conv2"}},
      {"memory.max", Outcome::Passed, "", {}},
      {"regression.latency", Outcome::Inconclusive, "too noisy", {}}};
  EXPECT_EQ(annotations(gates, Undecided::Itself),
            "::error title=dlaexec gate latency.max::100 %25 more: 2 ms%0Aconv1, conv2\n"
            "::warning title=dlaexec gate regression.latency::too noisy\n");
  EXPECT_THAT(annotations(gates, Undecided::Fail), Not(HasSubstr("::warning")));
}

TEST(ComparisonOnTheConsole, NamesTheGuiltyLayerFirst) {
  log::Capture capture;
  print_comparison(rich());
  const std::string& text = capture.text();
  EXPECT_LT(text.find("fc (dla to host)"), text.find("conv*1 (dla)"));
  EXPECT_THAT(text, HasSubstr("placement of fc: dla to gpu"));
  EXPECT_THAT(text, HasSubstr("[W] c.json: other programs kept 1.5 cores busy"));
}

}  // namespace
}  // namespace dlaexec::report
