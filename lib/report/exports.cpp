#include "report/exports.h"

#include <cctype>
#include <cmath>
#include <optional>

#include "base/log.h"
#include "report/text.h"

namespace dlaexec::report {
namespace {

/// trtexec prints 6 digits, which is 0.1 ms after 10 s of timestamps; more digits break no reader.
constexpr int kTimeDigits = 10;
constexpr int kFigureDigits = 6;

/// "[", records led by two blanks or a comma, "]", one a line.
std::string array_of(const std::vector<std::string>& records) {
  std::string text = "[\n";
  for (size_t i = 0; i < records.size(); ++i) text += (i == 0 ? "  " : ", ") + records[i] + "\n";
  return text + "]\n";
}

std::string time_record(const bench::Query& query) {
  std::string record = "{ ";
  const auto add = [&](std::string_view key, double value) {
    if (record.size() > 2) record += ", ";
    record += format("\"{}\" : {}", key, json_number(value, kTimeDigits));
  };
  add("startEnqMs", query.start_enqueue_ms);
  add("endEnqMs", query.end_enqueue_ms);
  add("startH2dMs", query.start_h2d_ms);
  add("endH2dMs", query.end_h2d_ms);
  add("startComputeMs", query.start_compute_ms);
  add("endComputeMs", query.end_compute_ms);
  add("startD2hMs", query.start_d2h_ms);
  add("endD2hMs", query.end_d2h_ms);
  add("h2dMs", query.end_h2d_ms - query.start_h2d_ms);
  add("computeMs", query.end_compute_ms - query.start_compute_ms);
  add("d2hMs", query.end_d2h_ms - query.start_d2h_ms);
  add("latencyMs", query.latency_ms());
  return record + " }";
}

std::string dimensions(const ir::Tensor& tensor) { return join(tensor.dims(), "x"); }

/// Elements in row-major order; floats as @p text writes them.
template <class Text>
std::string elements(const ir::Tensor& tensor, std::string_view separator, Text&& text) {
  if (!ir::is_float(tensor.type())) return join(tensor.to_ints(), separator);
  return join(tensor.to_floats(), separator, text);
}

/// The shortest text that reads back as the same float.
std::string exact(float value) { return std::isfinite(value) ? format("{}", value) : "null"; }

std::string_view raw_type(ir::DataType type) {
  switch (type) {
    case ir::DataType::Float32:
      return "Float";
    case ir::DataType::Float16:
      return "Half";
    case ir::DataType::BFloat16:
      return "BFloat16";
    case ir::DataType::Int8:
      return "Int8";
    case ir::DataType::UInt8:
      return "UInt8";
    case ir::DataType::Int32:
      return "Int32";
    case ir::DataType::Int64:
      return "Int64";
    case ir::DataType::Bool:
      return "Bool";
  }
  __builtin_unreachable();
}

std::string layer_record(const bench::LayerTime& layer) {
  return format(
      "\"name\" : {}, \"timeMs\" : {}, \"averageMs\" : {}, \"medianMs\" : {}, \"percentage\" : {}",
      json_string(layer.name), json_number(layer.total_ms, kFigureDigits),
      json_number(layer.mean_ms, kFigureDigits), json_number(layer.median_ms, kFigureDigits),
      json_number(layer.percentage, kFigureDigits));
}

/// What the row of a hardware operation has beyond that of a step.
/// @p error is that of the times of the loadable's operations.
std::string operation_record(const DlaOperation& operation, const std::optional<double>& error) {
  return format(
      "\"unit\" : \"{}\", \"layers\" : [ {} ], \"bound\" : \"{}\", \"cycles\" : {}, "
      "\"utilization\" : "
      "{}, \"dramBytes\" : {}, \"sramBytes\" : {}, \"errorPercent\" : {}",
      ir::text(operation.unit), join(operation.layers, ", ", json_string),
      ir::text(operation.time.bound), json_number(operation.time.cycles, kTimeDigits),
      json_number(operation.time.utilization, kFigureDigits), operation.time.dram_bytes,
      operation.time.sram_bytes, error ? json_number(100 * *error, kFigureDigits) : "null");
}

/// Calls body(row, operation) for the operations inside step @p step: their modelled times in every
/// iteration.
template <class Body>
void for_each_operation(const bench::Profile& profile, size_t step, std::span<const DlaStep> inside,
                        Body&& body) {
  for (const DlaStep& dla : inside) {
    if (dla.step != step) continue;
    for (const DlaOperation& operation : dla.operations) {
      bench::LayerTime row{dla.name + "/" + operation.name, run::Processor::Dla,
                           run::Kind::Modelled};
      row.error = dla.error;
      row.mean_ms = row.median_ms = 1e3 * operation.time.seconds;
      row.total_ms = row.mean_ms * static_cast<double>(profile.iterations);
      row.percentage = profile.total_ms > 0 ? 100 * row.total_ms / profile.total_ms : 0;
      body(row, operation);
    }
  }
}

}  // namespace

std::string times_json(const bench::Result& result) {
  std::vector<std::string> records;
  for (const bench::Query& query : result.timed()) records.push_back(time_record(query));
  return array_of(records);
}

std::string profile_json(const bench::Profile& profile, std::span<const DlaStep> inside) {
  std::vector<std::string> records = {format("{{ \"count\" : {} }}", profile.iterations)};
  for (size_t i = 0; i < profile.layers.size(); ++i) {
    const bench::LayerTime& layer = profile.layers[i];
    records.push_back(format("{{ {} }}", layer_record(layer)));
    for_each_operation(
        profile, i, inside, [&](const bench::LayerTime& row, const DlaOperation& op) {
          records.push_back(
              format("{{ {}, {} }}", layer_record(row), operation_record(op, row.error)));
        });
  }
  return array_of(records);
}

void print_profile(const bench::Profile& profile, std::span<const DlaStep> inside) {
  const auto row = [](double total, double mean, double median, double percentage,
                      std::string_view name) {
    log::info("{:11.2f}{:13.4f}{:13.4f}{:10.1f}   {}", total, mean, median, percentage, name);
  };
  log::info("");
  log::info("=== Profile ({} iterations ) ===", profile.iterations);
  log::info("   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer");
  double mean = 0, median = 0;
  for (size_t i = 0; i < profile.layers.size(); ++i) {
    const bench::LayerTime& layer = profile.layers[i];
    mean += layer.mean_ms;
    median += layer.median_ms;
    if (layer.total_ms > 0)
      row(layer.total_ms, layer.mean_ms, layer.median_ms, layer.percentage, layer.name);
    for_each_operation(
        profile, i, inside, [&](const bench::LayerTime& part, const DlaOperation& op) {
          row(part.total_ms, part.mean_ms, part.median_ms, part.percentage, "  " + to_text(op));
        });
  }
  row(profile.total_ms, mean, median, profile.total_ms > 0 ? 100 : 0, "Total");
  log::info("");
}

std::string outputs_json(const std::vector<NamedTensor>& outputs) {
  std::vector<std::string> records;
  for (const NamedTensor& output : outputs)
    records.push_back(format(
        "{{ \"name\" : {}\n  , \"dimensions\" : \"{}\"\n  , \"values\" : [ {} ]\n  }}",
        json_string(output.name), dimensions(output.tensor), elements(output.tensor, ", ", exact)));
  return array_of(records);
}

void print_outputs(const std::vector<NamedTensor>& outputs) {
  log::info("Output Tensors:");
  for (const NamedTensor& output : outputs) {
    log::info("{}: ({})", output.name, dimensions(output.tensor));
    log::info("{}", elements(output.tensor, " ", number));
  }
}

std::string raw_binding_name(const NamedTensor& binding, bool is_input) {
  std::string name;
  for (const char c : binding.name) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                      std::string_view("._-,").find(c) != std::string_view::npos;
    name += kept ? c : '_';
  }
  return format("{}.{}.{}.{}.raw", name, is_input ? "input" : "output",
                join(binding.tensor.dims(), "."), raw_type(binding.tensor.type()));
}

}  // namespace dlaexec::report
