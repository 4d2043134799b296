#include "report/recorded.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "report/summary.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;

std::vector<float> samples_of(const json& figure) {
  return figure.value("samples", std::vector<float>());
}

std::vector<RecordedFigure> figures_of(const json& figures) {
  std::vector<RecordedFigure> found;
  for (const auto& [name, figure] : figures.items())
    found.push_back({name, figure.contains("median") ? figure.at("median") : figure.at("value"),
                     samples_of(figure)});
  return found;
}

std::string formats_of(const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs) {
  return join(inputs, ", ") + " to " + join(outputs, ", ");
}

/// Operations of the loadable that a DLA step of @p step_ms runs, and what the step takes besides.
std::vector<RecordedPart> operations_of(const json& loadable, double step_ms) {
  std::vector<RecordedPart> parts;
  double known = 0;
  for (const json& operation : loadable.at("operations")) {
    RecordedPart part{operation.at("name"),
                      "dla",
                      operation.at("layers"),
                      operation.at("precision"),
                      "",
                      "",
                      true,
                      operation.at("time_ms"),
                      {}};
    known += part.median_ms;
    if (operation.contains("tactic")) {
      part.tactic = operation.at("tactic");
      part.formats = formats_of({operation.at("input")}, {operation.at("output")});
    }
    parts.push_back(std::move(part));
  }
  if (step_ms > known * (1 + 1e-6)) {
    RecordedPart rest;
    rest.name = "starting " + loadable.at("name").get<std::string>();
    rest.engine = "dla";
    rest.is_modelled = true;
    rest.median_ms = step_ms - known;
    parts.push_back(std::move(rest));
  }
  return parts;
}

/// What version 2 knows of a step besides its time.
void add_decisions(RecordedPart& part, const json& plan) {
  if (!plan.contains("steps")) return;
  for (const json& step : plan.at("steps")) {
    if (step.at("name") != part.name) continue;
    part.precision = step.at("precision");
    part.formats = formats_of(step.at("inputs"), step.at("outputs"));
    if (part.layers.empty()) part.layers = step.at("layers");
    return;
  }
}

const json* loadable_of(const json& summary, const std::string& step) {
  for (const json& loadable : summary.at("loadables"))
    if (loadable.at("name") == step) return &loadable;
  return nullptr;
}

std::vector<RecordedPart> parts_of_run(const json& summary) {
  std::vector<RecordedPart> parts;
  for (const json& step : summary.at("steps")) {
    const json* loadable = loadable_of(summary, step.at("name"));
    if (loadable != nullptr) {
      const double step_ms = step.at("time_ms").at("median");
      for (RecordedPart& part : operations_of(*loadable, step_ms)) parts.push_back(std::move(part));
      continue;
    }
    const json& time = step.at("time_ms");
    RecordedPart part{step.at("name"),
                      step.at("engine"),
                      step.at("layers"),
                      "",
                      "",
                      "",
                      time.at("kind") == "modelled",
                      time.at("median"),
                      samples_of(time)};
    add_decisions(part, summary.at("plan"));
    parts.push_back(std::move(part));
  }
  return parts;
}

/// Without a run only the DLA's times are known.
std::vector<RecordedPart> parts_of_plan(const json& summary) {
  std::vector<RecordedPart> parts;
  if (summary.at("plan").contains("steps"))
    for (const json& step : summary.at("plan").at("steps")) {
      if (const json* loadable = loadable_of(summary, step.at("name"))) {
        for (RecordedPart& part : operations_of(*loadable, loadable->at("time_ms")))
          parts.push_back(std::move(part));
        continue;
      }
      RecordedPart part;
      part.name = step.at("name");
      part.engine = "gpu";
      add_decisions(part, summary.at("plan"));
      parts.push_back(std::move(part));
    }
  return parts;
}

std::vector<RecordedLayer> layers_of(const json& placement) {
  std::vector<RecordedLayer> layers;
  for (const json& layer : placement.at("layers")) {
    if (layer.at("step").get_ref<const std::string&>().empty()) continue;
    RecordedLayer read{layer.at("name"), layer.at("device"), layer.at("precision"), ""};
    for (const json& reason : layer.at("reasons"))
      if (read.reason.empty() && reason.at("effect") == "refuses")
        read.reason = format("{} [{}]", reason.at("reason").get<std::string>(),
                             reason.at("rule").get<std::string>());
    layers.push_back(std::move(read));
  }
  return layers;
}

std::vector<RecordedSize> sizes_of(const json& summary) {
  std::vector<RecordedSize> sizes = {{"plan", summary.at("plan").at("size_bytes")},
                                     {"weights", summary.at("plan").at("weights_bytes")}};
  int64_t loadables = 0, sram = 0, local = 0, global = 0;
  for (const json& loadable : summary.at("loadables")) {
    loadables += loadable.at("size_bytes").get<int64_t>();
    sram = std::max(sram, loadable.at("pools").at("sram_bytes").get<int64_t>());
    local += loadable.at("pools").at("local_dram_bytes").get<int64_t>();
    global += loadable.at("pools").at("global_dram_bytes").get<int64_t>();
  }
  sizes.push_back({"loadables", loadables});
  sizes.push_back({"dla sram", sram});
  sizes.push_back({"dla local dram", local});
  sizes.push_back({"dla global dram", global});
  sizes.push_back({"peak memory of the process", summary.at("peak_memory_bytes")});
  return sizes;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const json& object) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : object.items()) pairs.emplace_back(name, value);
  return pairs;
}

std::string machine_of(const json& machine) {
  return format("{}, {} cores", machine.at("cpu").get<std::string>(),
                machine.at("cores").get<int>());
}

void read_run(Recorded& recorded, const json& summary) {
  recorded.timeline = summary.at("timeline");
  recorded.streams = summary.at("measurement").at("streams");
  recorded.figures = figures_of(summary.at("figures"));
  recorded.parts = parts_of_run(summary);
  recorded.remarks =
      summary.at("figures").at("latency_ms").value("remarks", std::vector<std::string>());
  if (summary.at("measurement").contains("conditions"))
    for (const std::string remark : summary.at("measurement").at("conditions").at("remarks"))
      recorded.remarks.push_back(remark);
}

Recorded read(const json& summary, std::string source) {
  Recorded recorded;
  recorded.source = std::move(source);
  recorded.version = summary.at("schema_version");
  recorded.model = summary.at("model").at("name");
  recorded.model_hash = summary.at("model").at("hash");
  recorded.machine = machine_of(summary.at("machine"));
  if (!summary.at("platform").is_null()) {
    recorded.platform = summary.at("platform").at("name");
    recorded.power_mode = summary.at("platform").at("power_mode");
    recorded.dla_mhz = summary.at("platform").at("dla_mhz");
    recorded.dram_gb_per_s = summary.at("platform").value("dram_gb_per_s", 0.0);
    recorded.busy_cores = summary.at("platform").value("busy_cores", 0);
  }
  recorded.layers = layers_of(summary.at("placement"));
  recorded.sizes = sizes_of(summary);
  recorded.settings = pairs_of(summary.at("plan").at("settings"));
  if (summary.at("plan").contains("gpu_tactics"))
    recorded.gpu_tactics = pairs_of(summary.at("plan").at("gpu_tactics"));
  if (summary.contains("timeline"))
    read_run(recorded, summary);
  else
    recorded.parts = parts_of_plan(summary);
  return recorded;
}

}  // namespace

bool Recorded::is_exact() const {
  return std::all_of(parts.begin(), parts.end(), [](const RecordedPart& part) {
    return part.is_modelled || part.median_ms == 0;
  });
}

std::string Recorded::other_engines() const {
  std::set<std::string> engines;
  for (const RecordedPart& part : parts)
    if (part.engine != "dla" && part.median_ms > 0) engines.insert(part.engine);
  return join(engines, ", ");
}

const RecordedFigure* Recorded::figure(std::string_view name) const {
  for (const RecordedFigure& figure : figures)
    if (figure.name == name) return &figure;
  return nullptr;
}

Recorded read_summary(std::string_view text, std::string source) {
  const json summary = json::parse(text, nullptr, false);
  if (!summary.is_object() || !summary.contains("schema_version"))
    fail("'{}' is no summary of a run; --exportSummary=FILE writes one", source);
  const json& version = summary.at("schema_version");
  if (!version.is_number_integer() || version < 1 || version > kSummaryVersion)
    fail("'{}' is a summary of version {}; this program reads versions 1 to {}", source,
         version.dump(), kSummaryVersion);
  try {
    return read(summary, source);
  } catch (const json::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.out_of_range.403] key ..."
    fail("'{}' is no sound summary of version {}: {}; write it again", source, version.get<int>(),
         what.substr(what.find("] ") + 2));
  }
}

}  // namespace dlaexec::report
