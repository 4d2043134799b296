#include "report/comparison_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace dlaexec::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShownLayers = 10, kShownDecisions = 20;

/// What JSON cannot hold, such as the change from nothing to something, is null.
Json json_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const measure::Comparison& comparison) {
  return {{"verdict", measure::text(comparison.verdict)},
          {"before", comparison.before},
          {"after", comparison.after},
          {"change", json_of(comparison.shift.estimate)},
          {"change_low", json_of(comparison.shift.low)},
          {"change_high", json_of(comparison.shift.high)},
          {"doubt", comparison.doubt}};
}

Json figures_json(const RunComparison& comparison) {
  Json figures = Json::array();
  for (const FigureChange& figure : comparison.figures) {
    Json json = {{"name", figure.name}, {"gated", figure.is_gated}};
    json.update(json_of(figure.comparison));
    figures.push_back(std::move(json));
  }
  return figures;
}

Json layers_json(const RunComparison& comparison) {
  Json layers = Json::array();
  for (const LayerChange& layer : comparison.layers) {
    Json json = {{"layers", layer.layers},
                 {"holds_layers", layer.holds_layers},
                 {"engine_before", layer.engine_before},
                 {"engine_after", layer.engine_after},
                 {"cost_ms", layer.cost_ms},
                 {"certain", layer.is_certain}};
    json.update(json_of(layer.comparison));
    layers.push_back(std::move(json));
  }
  return layers;
}

Json decisions_json(const RunComparison& comparison) {
  Json decisions = Json::array();
  for (const Decision& decision : comparison.decisions)
    decisions.push_back({{"kind", decision.kind},
                         {"subject", decision.subject},
                         {"before", decision.before},
                         {"after", decision.after},
                         {"cost_ms", decision.cost_ms ? Json(*decision.cost_ms) : Json(nullptr)},
                         {"reason", decision.reason}});
  return decisions;
}

/// Text for a table's cell: markup is shown, not obeyed.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>#|~").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c == '\n' || c == '\r' ? ' ' : c;
  }
  return escaped;
}

std::string percent(double relative) {
  return std::isfinite(relative) ? format("{:+.1f} %", relative * 100) : "new";
}

std::string figures_table(const RunComparison& comparison) {
  std::string table =
      "| figure | before | after | change | interval | verdict |\n"
      "|---|---:|---:|---:|---|---|\n";
  for (const FigureChange& figure : comparison.figures) {
    const measure::Comparison& c = figure.comparison;
    const bool is_exact = c.shift.low == c.shift.high;
    table +=
        format("| {} | {:.4g} | {:.4g} | {} | {} | {} |\n", cell(figure.name), c.before, c.after,
               percent(c.shift.estimate),
               is_exact ? "exact" : format("{} to {}", percent(c.shift.low), percent(c.shift.high)),
               measure::text(c.verdict));
  }
  return table;
}

std::string layers_table(const RunComparison& comparison) {
  std::string rows;
  size_t shown = 0;
  for (const LayerChange* layer : comparison.guilty()) {
    if (++shown > kShownLayers) break;
    rows += format("| {} | {} | {} | {:.4g} | {:.4g} | {:+.4g} |\n", cell(layer->name()),
                   cell(layer->engine_before), cell(layer->engine_after), layer->comparison.before,
                   layer->comparison.after, layer->cost_ms);
  }
  if (rows.empty()) return "";
  return "\n### Layers that became slower\n\n"
         "| layer | engine before | engine after | before, ms | after, ms | cost, ms |\n"
         "|---|---|---|---:|---:|---:|\n" +
         rows;
}

std::string decisions_table(const RunComparison& comparison) {
  if (comparison.decisions.empty()) return "";
  std::string table =
      "\n### What was decided differently\n\n"
      "| what | of | before | after | cost, ms | because |\n"
      "|---|---|---|---|---:|---|\n";
  for (size_t i = 0; i < std::min(comparison.decisions.size(), kShownDecisions); ++i) {
    const Decision& d = comparison.decisions[i];
    table +=
        format("| {} | {} | {} | {} | {} | {} |\n", cell(d.kind), cell(d.subject), cell(d.before),
               cell(d.after), d.cost_ms ? format("{:+.4g}", *d.cost_ms) : "", cell(d.reason));
  }
  return table;
}

std::string lists(const RunComparison& comparison) {
  std::string text;
  if (!comparison.sizes.empty()) text += "\n### Sizes\n\n";
  for (const SizeChange& size : comparison.sizes) text += format("- {}\n", cell(sentence(size)));
  if (!comparison.remarks.empty()) text += "\n### Remarks\n\n";
  for (const std::string& remark : comparison.remarks) text += format("- {}\n", cell(remark));
  return text;
}

/// GitHub's escapes: % first, so that the others stay.
std::string escaped(std::string_view text, bool in_property) {
  std::string result;
  for (const char c : text) {
    const bool is_escaped =
        c == '%' || c == '\r' || c == '\n' || (in_property && (c == ':' || c == ','));
    if (is_escaped)
      result += format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else
      result += c;
  }
  return result;
}

}  // namespace

void print_comparison(const RunComparison& comparison) {
  log::info("");
  log::info("=== Comparison ===");
  log::info("Before: {}, after: {}, limit {:g} %", comparison.before, comparison.after,
            comparison.limit * 100);
  for (const FigureChange& figure : comparison.figures) log::info("{}", sentence(figure));
  const auto guilty = comparison.guilty();
  if (!guilty.empty()) log::info("Layers that became slower, the costliest first:");
  for (size_t i = 0; i < std::min(guilty.size(), kShownLayers); ++i)
    log::info("    {}", sentence(*guilty[i]));
  if (guilty.size() > kShownLayers) log::info("    and {} more", guilty.size() - kShownLayers);
  if (!comparison.decisions.empty()) log::info("Decided differently, the costliest first:");
  for (size_t i = 0; i < std::min(comparison.decisions.size(), kShownDecisions); ++i)
    log::info("    {}", sentence(comparison.decisions[i]));
  if (comparison.decisions.size() > kShownDecisions)
    log::info("    and {} more; the JSON has all of them",
              comparison.decisions.size() - kShownDecisions);
  for (const SizeChange& size : comparison.sizes) log::info("Size of {}", sentence(size));
  for (const std::string& remark : comparison.remarks) log::warning("{}", remark);
}

std::string comparison_json(const RunComparison& comparison, std::span<const Gate> gates) {
  Json sizes = Json::array();
  for (const SizeChange& size : comparison.sizes)
    sizes.push_back(
        {{"name", size.name}, {"before_bytes", size.before}, {"after_bytes", size.after}});
  const Json json = {{"schema_version", kComparisonVersion},
                     {"before", comparison.before},
                     {"after", comparison.after},
                     {"limit", comparison.limit},
                     {"figures", figures_json(comparison)},
                     {"layers", layers_json(comparison)},
                     {"decisions", decisions_json(comparison)},
                     {"sizes", std::move(sizes)},
                     {"remarks", comparison.remarks},
                     {"gates", Json::parse(gates_json(gates))}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string markdown(std::span<const Gate> gates, const RunComparison* comparison) {
  std::string page = "## dlaexec: " + conclusion(gates) + "\n\n";
  if (!gates.empty()) page += "| gate | outcome | found |\n|---|---|---|\n";
  for (const Gate& gate : gates) {
    std::string found = cell(gate.sentence);
    for (const std::string& culprit : gate.culprits) found += "<br>" + cell(culprit);
    page += format("| {} | {} | {} |\n", cell(gate.id), ir::text(gate.outcome), found);
  }
  if (comparison == nullptr) return page;
  page += format("\n### {} against {}, limit {:g} %\n\n", cell(comparison->after),
                 cell(comparison->before), comparison->limit * 100);
  return page + figures_table(*comparison) + layers_table(*comparison) +
         decisions_table(*comparison) + lists(*comparison);
}

std::string annotations(std::span<const Gate> gates, Undecided undecided) {
  std::string text;
  for (const Gate& gate : gates) {
    if (gate.outcome == Outcome::Passed) continue;
    const bool is_open = gate.outcome == Outcome::Inconclusive && undecided != Undecided::Fail;
    std::string message = gate.sentence;
    for (const std::string& culprit : gate.culprits) message += "\n" + culprit;
    text += format("::{} title={}::{}\n", is_open ? "warning" : "error",
                   escaped("dlaexec gate " + gate.id, true), escaped(message, false));
  }
  return text;
}

}  // namespace dlaexec::report
