#include "report/comparison.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "report/layer_groups.h"

namespace dlaexec::report {
namespace {

using measure::Comparison;

/// A time as a series, or as one exact number.
struct Time {
  bool is_exact = true;
  double value = 0;
  std::vector<float> samples;
};

/// The sum over parts that run one after the other in each query: samples of the same query are
/// added, exact times to each of them.
Time sum_of(const std::vector<const RecordedPart*>& parts) {
  Time time;
  for (const RecordedPart* part : parts) {
    time.value += part->median_ms;
    if (part->is_modelled || part->samples.empty()) continue;
    if (time.is_exact) time.samples.assign(part->samples.size(), 0.f);
    time.is_exact = false;
    time.samples.resize(std::min(time.samples.size(), part->samples.size()));
    for (size_t i = 0; i < time.samples.size(); ++i) time.samples[i] += part->samples[i];
  }
  if (time.is_exact) return time;
  const double exact =
      std::accumulate(parts.begin(), parts.end(), 0.0, [](double sum, const RecordedPart* part) {
        return sum + (part->is_modelled || part->samples.empty() ? part->median_ms : 0);
      });
  for (float& sample : time.samples) sample += static_cast<float>(exact);
  return time;
}

/// An exact time stands for as many equal samples as the other side has.
std::vector<float> series_of(const Time& time, size_t count) {
  return time.is_exact ? std::vector<float>(count, static_cast<float>(time.value)) : time.samples;
}

Comparison compare_times(const Time& before, const Time& after, double limit, Pairing pairing) {
  if ((before.is_exact && after.is_exact) || before.value <= 0 || after.value <= 0)
    return measure::compare_exact(before.value, after.value, limit);
  const std::vector<float> a = series_of(before, after.samples.size());
  const std::vector<float> b = series_of(after, before.samples.size());
  return pairing == Pairing::Rounds ? measure::compare_paired(a, b, limit)
                                    : measure::compare(a, b, limit);
}

Time time_of(const RecordedFigure& figure, bool is_exact) {
  return {is_exact || figure.samples.empty(), figure.value, figure.samples};
}

/// The figures that both runs have samples of. Throughput is compared by the time between queries,
/// for which more is worse.
std::vector<FigureChange> compare_figures(const Recorded& before, const Recorded& after,
                                          double limit, Pairing pairing) {
  const bool many_streams = std::max(before.streams, after.streams) > 1;
  const struct {
    std::string_view name;
    bool is_gated;
  } kFigures[] = {{"latency_ms", true}, {"compute_ms", false}, {"period_ms", many_streams}};
  std::vector<FigureChange> changes;
  for (const auto& [name, is_gated] : kFigures) {
    const RecordedFigure *a = before.figure(name), *b = after.figure(name);
    if (a == nullptr || b == nullptr) continue;
    changes.push_back({std::string(name),
                       compare_times(time_of(*a, before.is_exact()), time_of(*b, after.is_exact()),
                                     limit, pairing),
                       is_gated});
  }
  return changes;
}

/// What the DLA's model says of the loadables: all that two plans tell without a run.
FigureChange compare_dla_time(const Recorded& before, const Recorded& after, double limit) {
  const auto sum = [](const Recorded& run) {
    double ms = 0;
    for (const RecordedPart& part : run.parts)
      if (part.engine == "dla") ms += part.median_ms;
    return ms;
  };
  return {"dla_ms", measure::compare_exact(sum(before), sum(after), limit), true};
}

std::string engines_of(const std::vector<const RecordedPart*>& parts) {
  std::vector<std::string> engines;
  for (const RecordedPart* part : parts)
    if (std::find(engines.begin(), engines.end(), part->engine) == engines.end())
      engines.push_back(part->engine);
  return join(engines, "+");
}

LayerChange compare_group(const LayerGroup& group, double limit, Pairing pairing) {
  LayerChange change;
  change.layers = group.layers;
  change.holds_layers = group.holds_layers;
  change.engine_before = engines_of(group.before);
  change.engine_after = engines_of(group.after);
  const Time before = sum_of(group.before), after = sum_of(group.after);
  change.comparison = compare_times(before, after, limit, pairing);
  const measure::Interval& shift = change.comparison.shift;
  const bool is_relative = before.value > 0 && after.value > 0;
  change.cost_ms =
      is_relative ? shift.estimate * change.comparison.before : after.value - before.value;
  change.is_certain = is_relative ? shift.low > 0 || shift.high < 0 : change.cost_ms != 0;
  return change;
}

/// "1.234", "0.01235": what people compare at a glance.
std::string short_number(double value) { return format("{:.4g}", value); }

std::string percent(double relative) { return format("{:+.1f} %", relative * 100); }

std::vector<SizeChange> compare_sizes(const Recorded& before, const Recorded& after) {
  std::vector<SizeChange> changes;
  for (const RecordedSize& size : before.sizes)
    for (const RecordedSize& other : after.sizes)
      if (size.name == other.name && size.bytes != other.bytes)
        changes.push_back({size.name, size.bytes, other.bytes});
  return changes;
}

void add_remarks(std::vector<std::string>& remarks, const Recorded& run) {
  if (!run.is_measured())
    remarks.push_back(format("{} was not run: only what was built is compared", run.source));
  if (run.is_exact()) return;
  for (const std::string& remark : run.remarks)
    remarks.push_back(format("{}: {}", run.source, remark));
}

Gate time_gate(const RunComparison& comparison, const FigureChange& figure) {
  constexpr size_t kMostCulprits = 10;
  const std::string name = figure.name.substr(0, figure.name.find("_ms"));
  Gate gate{"regression." + name, Outcome::Passed, sentence(figure), {}};
  const measure::Verdict verdict = figure.comparison.verdict;
  if (verdict == measure::Verdict::Inconclusive) gate.outcome = Outcome::Inconclusive;
  if (verdict != measure::Verdict::Slower) return gate;
  gate.outcome = Outcome::Failed;
  for (const LayerChange* layer : comparison.guilty())
    if (gate.culprits.size() < kMostCulprits) gate.culprits.push_back(sentence(*layer));
  return gate;
}

bool left_the_dla(const Decision& decision) {
  return decision.kind == "placement" && decision.before == "dla" && !decision.after.empty();
}

Gate placement_gate(const RunComparison& comparison) {
  Gate gate{"regression.placement", Outcome::Passed, "no layer left the DLA", {}};
  for (const Decision& decision : comparison.decisions)
    if (left_the_dla(decision)) gate.culprits.push_back(sentence(decision));
  if (gate.culprits.empty()) return gate;
  gate.outcome = Outcome::Failed;
  gate.sentence =
      format("{} layer{} left the DLA", gate.culprits.size(), gate.culprits.size() == 1 ? "" : "s");
  return gate;
}

}  // namespace

std::string LayerChange::name() const {
  if (layers.empty()) return "";
  if (layers.size() == 1) return layers.front();
  return format("{} and {} more", layers.front(), layers.size() - 1);
}

std::vector<const LayerChange*> RunComparison::guilty() const {
  std::vector<const LayerChange*> guilty;
  for (const LayerChange& layer : layers)
    if (layer.is_certain && layer.cost_ms > 0) guilty.push_back(&layer);
  return guilty;
}

std::vector<std::string> obstacles(const Recorded& before, const Recorded& after) {
  std::vector<std::string> found;
  const auto differ = [&](std::string_view what, const std::string& a, const std::string& b) {
    if (a != b)
      found.push_back(
          format("{}: '{}' in {}, '{}' in {}", what, a, before.source, b, after.source));
  };
  if (!before.platform.empty() && !after.platform.empty())
    differ("the platforms differ", before.platform, after.platform);
  if (!before.is_measured() || !after.is_measured()) return found;
  differ("the timelines differ", before.timeline, after.timeline);
  const std::string a = before.other_engines(), b = after.other_engines();
  if (a.empty() || b.empty()) return found;  // one of them holds nothing that was measured
  differ("the engines beside the DLA differ", a, b);
  differ("the machines differ", before.machine, after.machine);
  return found;
}

RunComparison compare(const Recorded& before, const Recorded& after, double limit,
                      Pairing pairing) {
  RunComparison comparison;
  comparison.before = before.source;
  comparison.after = after.source;
  comparison.limit = limit;
  if (before.is_measured() && after.is_measured())
    comparison.figures = compare_figures(before, after, limit, pairing);
  else
    comparison.figures = {compare_dla_time(before, after, limit)};
  for (const LayerGroup& group : layer_groups(before, after))
    comparison.layers.push_back(compare_group(group, limit, pairing));
  comparison.decisions = decisions(before, after, comparison.layers);
  std::stable_sort(comparison.layers.begin(), comparison.layers.end(),
                   [](const LayerChange& a, const LayerChange& b) {
                     return std::pair(a.holds_layers, a.cost_ms) >
                            std::pair(b.holds_layers, b.cost_ms);
                   });
  comparison.sizes = compare_sizes(before, after);
  add_remarks(comparison.remarks, before);
  add_remarks(comparison.remarks, after);
  return comparison;
}

std::vector<Gate> gates_of(const RunComparison& comparison) {
  std::vector<Gate> gates;
  for (const FigureChange& figure : comparison.figures)
    if (figure.is_gated) gates.push_back(time_gate(comparison, figure));
  gates.push_back(placement_gate(comparison));
  return gates;
}

std::string sentence(const LayerChange& change) {
  const bool moved = change.engine_before != change.engine_after;
  const std::string engine = change.engine_before.empty()  ? change.engine_after + ", new"
                             : change.engine_after.empty() ? change.engine_before + ", gone"
                             : moved ? change.engine_before + " to " + change.engine_after
                                     : change.engine_after;
  const std::string relative = change.comparison.before > 0 && change.comparison.after > 0
                                   ? format(" ({})", percent(change.comparison.shift.estimate))
                                   : "";
  return format("{} ({}): {} to {} ms, {}{} ms{}", change.name(), engine,
                short_number(change.comparison.before), short_number(change.comparison.after),
                change.cost_ms < 0 ? "" : "+", short_number(change.cost_ms), relative);
}

std::string sentence(const Decision& decision) {
  std::string text = format("{} of {}: {} to {}", decision.kind, decision.subject,
                            decision.before.empty() ? "nothing" : decision.before,
                            decision.after.empty() ? "nothing" : decision.after);
  if (decision.cost_ms)
    text += format(", {}{} ms", *decision.cost_ms < 0 ? "" : "+", short_number(*decision.cost_ms));
  if (!decision.reason.empty()) text += ". " + decision.reason;
  return text;
}

std::string sentence(const SizeChange& change) {
  const auto difference = change.after - change.before;
  const std::string relative = change.before > 0
                                   ? format(" ({})", percent(static_cast<double>(difference) /
                                                             static_cast<double>(change.before)))
                                   : "";
  return format("{}: {} to {} bytes{}", change.name, change.before, change.after, relative);
}

std::string sentence(const FigureChange& change) {
  const Comparison& c = change.comparison;
  std::string text =
      format("{}: {} to {}", change.name, short_number(c.before), short_number(c.after));
  if (c.before > 0) text += ", " + percent(c.shift.estimate);
  if (c.shift.low != c.shift.high)
    text += format(" [{}, {}]", percent(c.shift.low), percent(c.shift.high));
  text += format(": {}", measure::text(c.verdict));
  return c.doubt.empty() ? text : text + " (" + c.doubt + ")";
}

}  // namespace dlaexec::report
