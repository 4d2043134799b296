#include "report/page.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "base/format.h"
#include "report/html.h"

namespace dlaexec::report {
namespace {

using html::escaped;
using nlohmann::json;

std::string text_of(const json& value) {
  if (value.is_string()) return escaped(value.get<std::string>());
  return value.is_null() ? "" : escaped(value.dump());
}

std::string number(const json& value, int digits = 4) {
  return value.is_number() ? format("{:.{}g}", value.get<double>(), digits) : "";
}

std::string section(std::string_view title, std::string_view body) {
  return format("<h2>{}</h2>\n{}", title, body);
}

/// "measured", or "modelled" with how far off that may be.
std::string kind_of(const json& time) {
  const std::string error = number(time.value("error_percent", json()));
  return text_of(time.at("kind")) + (error.empty() ? "" : format(" ± {} %", error));
}

/// The same; an error that is not known is said, too.
std::string kind_in_full(const json& time) {
  const bool is_unknown = time.contains("error_percent") && time["error_percent"].is_null();
  return kind_of(time) + (is_unknown ? ", error unknown" : "");
}

std::string list(const json& items) {
  std::string text;
  for (const json& item : items) text += "<li>" + text_of(item) + "</li>";
  return text.empty() ? "" : "<ul>" + text + "</ul>\n";
}

std::string big(std::string_view value, std::string_view unit, std::string_view what) {
  return format("<div><b>{} <small>{}</small></b><span class=\"soft\">{}</span></div>\n", value,
                unit, what);
}

/// The board, or the machine where no DLA takes part.
std::string board(const json& run) {
  const json& platform = run.at("platform");
  if (platform.is_null()) return text_of(run.at("machine").at("cpu")) + ", no DLA";
  return format("{} {}, DLA at {} MHz", text_of(platform.at("name")),
                text_of(platform.at("power_mode")), number(platform.at("dla_mhz"), 6));
}

/// What a reader wants first: how fast, where, how much of it is modelled.
std::string head(const json& run) {
  const json& tool = run.at("tool");
  std::string text =
      format("<h1>{}</h1>\n<p class=\"soft\">{}; {} {}, {}</p>\n<div class=\"figures\">\n",
             text_of(run.at("model").at("name")), board(run), text_of(tool.at("name")),
             text_of(tool.at("version")), text_of(run.at("created")));
  if (run.contains("figures")) {
    const json& latency = run["figures"].at("latency_ms");
    text += big(number(latency.at("median")), "ms", "median latency, " + kind_in_full(latency));
    text += big(number(run["figures"].at("throughput_qps").at("value")), "a second", "throughput");
  }
  const json& placement = run.at("placement");
  text += big(text_of(placement.at("dla_layers")), "layers",
              format("on the DLA, {} elsewhere", text_of(placement.at("gpu_layers"))));
  const double bytes = run.at("plan").at("size_bytes").get<double>();
  const bool is_small = bytes < 1 << 20;
  text += big(format("{:.1f}", bytes / (is_small ? 1 << 10 : 1 << 20)), is_small ? "KiB" : "MiB",
              "plan");
  return text + "</div>\n";
}

/// How many of @p samples, in rising order, lie in each of @p parts equal parts of [low, high].
std::vector<int> counts_between(std::span<const double> samples, double low, double high,
                                size_t parts) {
  std::vector<int> counts(parts, 0);
  for (const double sample : samples) {
    if (sample > high) break;
    const auto part = static_cast<size_t>((sample - low) / (high - low) * parts);
    ++counts[std::min(part, parts - 1)];
  }
  return counts;
}

/// Latencies as columns, without the slowest hundredth, which would squeeze all others into one;
/// nothing where they are all alike.
std::string columns(const json& latencies) {
  constexpr int kWidth = 720, kHeight = 90;
  constexpr size_t kColumns = 48;
  std::vector<double> samples = latencies.get<std::vector<double>>();
  std::ranges::sort(samples);
  if (samples.empty()) return "";
  const double low = samples.front(), high = samples[(samples.size() - 1) * 99 / 100];
  if (!(high > low)) return "";
  const std::vector<int> counts = counts_between(samples, low, high, kColumns);
  const double unit = static_cast<double>(kHeight) / *std::ranges::max_element(counts);
  const double width = static_cast<double>(kWidth) / kColumns;
  std::string text = format("<svg viewBox=\"0 0 {} {}\" role=\"img\">", kWidth, kHeight + 16);
  for (size_t i = 0; i < kColumns; ++i)
    text += format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                   width * static_cast<double>(i), kHeight - unit * counts[i], width - 1,
                   unit * counts[i]);
  text += format(R"(<text x="0" y="{}">{} ms</text>)", kHeight + 13, number(low));
  text += format(R"(<text x="{}" y="{}" text-anchor="end">{} ms</text></svg>)", kWidth,
                 kHeight + 13, number(high));
  const auto beyond = std::ranges::count_if(samples, [&](double sample) { return sample > high; });
  return text + format("\n<p class=\"soft\">{} samples, {} of them beyond the right end</p>\n",
                       samples.size(), beyond);
}

/// The figures in the order in which people ask for them; transfers that take no time tell nothing.
std::string latency_table(const json& figures) {
  constexpr std::pair<const char*, const char*> kFigures[] = {
      {"latency_ms", "latency"},    {"compute_ms", "compute"},
      {"h2d_ms", "host to device"}, {"d2h_ms", "device to host"},
      {"enqueue_ms", "enqueue"},    {"period_ms", "between two results"}};
  html::Table table({"", "#median ms", "#mean ms", "#min ms", "#max ms", "#p99 ms", "kind"});
  for (const auto& [key, name] : kFigures) {
    if (!figures.contains(key) || figures[key].at("max") == 0) continue;
    const json& figure = figures[key];
    const json& ranks = figure.at("percentiles");
    table.row({name, number(figure["median"]), number(figure["mean"]), number(figure["min"]),
               number(figure["max"]), ranks.contains("p99") ? number(ranks["p99"]) : "",
               text_of(figure["kind"])});
  }
  return table.text();
}

std::string latency(const json& run) {
  if (!run.contains("figures")) return "";
  const json& total = run["figures"].at("latency_ms");
  std::string text;
  if (total.contains("samples")) text += columns(total["samples"]);
  text += latency_table(run["figures"]) + list(total.value("remarks", json::array()));
  return section("Latency", text + list(run.at("measurement").at("conditions").at("remarks")));
}

/// Which processor the time goes to.
std::string engines(const json& run) {
  std::vector<html::Share> shares;
  std::vector<std::string> labels;
  for (const json& engine : run.at("engines")) {
    shares.push_back({engine.at("name"), engine.at("share_percent")});
    labels.push_back(format("{} {:.1f} %, {}", text_of(engine["name"]), shares.back().percent,
                            text_of(engine.at("kind"))));
  }
  return html::stacked_bar(shares, labels);
}

std::string timeline(const json& run) {
  if (!run.contains("steps")) return "";
  html::Table table({"step", "engine", "#ms", "", "#share %", "kind"});
  for (const json& step : run["steps"]) {
    const double share = step.at("share_percent").get<double>();
    table.row({text_of(step.at("name")), text_of(step.at("engine")),
               number(step.at("time_ms").at("median")), html::bar({step.at("engine"), share}),
               format("{:.1f}", share), kind_of(step["time_ms"])});
  }
  return section("Timeline", engines(run) + table.text());
}

std::string reasons(const json& layer) {
  std::string text;
  for (const json& reason : layer.at("reasons"))
    text += format("<div>{} <span class=\"soft\">{}: {}, takes {}</span></div>",
                   text_of(reason.at("reason")), text_of(reason.at("rule")),
                   text_of(reason.at("value")), text_of(reason.at("limit")));
  return text;
}

/// The layers that the DLA was asked to take and does not; the others stand in the loadables.
std::string placement(const json& run) {
  html::Table table({"layer", "type", "runs on", "why"});
  bool any = false;
  for (const json& layer : run.at("placement").at("layers")) {
    if (layer.at("reasons").empty()) continue;
    any = true;
    table.row({text_of(layer.at("name")), text_of(layer.at("type")), text_of(layer.at("device")),
               reasons(layer)});
  }
  return any ? section("Why not on the DLA", table.text()) : "";
}

/// What bounds the operations of a loadable, how much of its time, and what would help.
std::string bounds(const json& operations) {
  std::map<std::string, std::pair<double, std::string>> by_bound;
  double whole = 0;
  for (const json& operation : operations) {
    auto& [ms, advice] = by_bound[operation.at("bound")];
    ms += operation.at("time_ms").get<double>();
    advice = text_of(operation.at("would_help"));
    whole += operation["time_ms"].get<double>();
  }
  html::Table table({"bound by", "#ms", "", "#share %", "what would help"});
  for (const auto& [bound, found] : by_bound) {
    const double share = whole > 0 ? 100 * found.first / whole : 0;
    table.row({escaped(bound), format("{:.4g}", found.first), html::bar({"dla", share}),
               format("{:.1f}", share), found.second});
  }
  return table.text();
}

std::string operations(std::span<const json* const> chosen) {
  html::Table table({"operation", "unit", "#ms", "", "#share %", "bound by", "#MACs used %"});
  for (const json* operation : chosen) {
    const double share = operation->at("share_percent").get<double>();
    table.row({text_of(operation->at("name")), text_of(operation->at("unit")),
               number(operation->at("time_ms")), html::bar({"dla", share}), format("{:.1f}", share),
               text_of(operation->at("bound")),
               format("{:.0f}", 100 * operation->at("utilization").get<double>())});
  }
  return table.text();
}

/// The slowest operations, and all of them folded away where they are many.
std::string operations_of(const json& loadable) {
  constexpr size_t kSlowest = 10;
  std::vector<const json*> all;
  for (const json& operation : loadable.at("operations")) all.push_back(&operation);
  if (all.size() <= kSlowest + 2) return operations(all);
  std::vector<const json*> slowest = all;
  std::ranges::stable_sort(slowest, std::greater(),
                           [](const json* one) { return one->at("time_ms").get<double>(); });
  slowest.resize(kSlowest);
  return format("<p class=\"soft\">The slowest {} of {} operations:</p>\n", kSlowest, all.size()) +
         operations(slowest) +
         html::folded(format("All {} in the order in which they run", all.size()), operations(all));
}

std::string loadables(const json& run) {
  std::string text;
  for (const json& loadable : run.at("loadables"))
    text +=
        format("<h3>{} <span class=\"soft\">{} ms, {}</span></h3>\n{}",
               text_of(loadable.at("name")), number(loadable.at("time_ms")), kind_in_full(loadable),
               bounds(loadable.at("operations")) + operations_of(loadable));
  return text.empty() ? "" : section("Inside the loadables", text);
}

std::string differences(const json& tensors) {
  html::Table table({"tensor", "#cosine", "#relative L2", "#SNR dB", "#max abs"});
  for (const json& tensor : tensors)
    table.row({text_of(tensor.at("tensor")), number(tensor.at("cosine"), 6),
               number(tensor.at("relative_l2")), number(tensor.at("snr_db")),
               number(tensor.at("max_abs"))});
  return table.text();
}

std::string accuracy(const json& run) {
  std::string text;
  if (run.contains("quantization") && run["quantization"].is_object() &&
      run["quantization"].value("accuracy_is_meaningless", false))
    text +=
        "<p class=\"bad\">INT8 ranges are placeholders: times are right, outputs are not.</p>\n";
  const json& found = run.contains("accuracy") ? run["accuracy"] : json();
  if (found.is_object() && found.contains("comparison")) {
    const json& compared = found["comparison"];
    text += format("<p>Against {} on {}, {} samples</p>\n", text_of(compared.at("reference")),
                   text_of(compared.at("data")), text_of(compared.at("samples")));
    text += differences(compared.at("outputs"));
  }
  if (found.is_object() && found.contains("validation"))
    for (const char* rank : {"top1", "top5"})
      if (found["validation"].contains(rank) && found["validation"][rank].is_object())
        text += format("<p>{}: {} % ({} to {} %)</p>\n", rank,
                       number(found["validation"][rank].at("percent")),
                       number(found["validation"][rank].at("low_percent")),
                       number(found["validation"][rank].at("high_percent")));
  return text.empty() ? "" : section("Accuracy", text);
}

std::string gates(const json& run) {
  if (run.at("gates").empty()) return "";
  html::Table table({"gate", "outcome", ""});
  for (const json& gate : run["gates"]) {
    const bool passed = gate.at("outcome") == "passed";
    table.row(
        {text_of(gate.at("id")),
         format("<span class=\"{}\">{}</span>", passed ? "" : "bad", text_of(gate.at("outcome"))),
         text_of(gate.at("sentence"))});
  }
  return section("Gates", table.text());
}

std::string pairs(const json& object) {
  html::Table table({"", ""});
  for (const auto& [name, value] : object.items()) table.row({escaped(name), text_of(value)});
  return table.text();
}

std::string settings(const json& run) {
  std::string command;
  for (const json& word : run.at("command"))
    command += (command.empty() ? "" : " ") + text_of(word);
  return section("Run with", "<p><code>" + command + "</code></p>\n" + pairs(run.at("machine")));
}

}  // namespace

std::string summary_page(std::string_view summary_json) {
  const json run = json::parse(summary_json);
  const std::string body = head(run) + gates(run) + latency(run) + timeline(run) + placement(run) +
                           loadables(run) + accuracy(run) + settings(run);
  return html::page("dlaexec: " + run.at("model").at("name").get<std::string>(), body);
}

}  // namespace dlaexec::report
