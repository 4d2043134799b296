#include "what_if.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dla/platform.h"
#include "run/engine.h"

namespace dlaexec::cli {
namespace {

/// More rows than anybody reads, and still answered in seconds.
constexpr size_t kMostValues = 10000;
constexpr std::string_view kAllModes = "all";

double parse_positive(std::string_view text, Flag flag) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !(value > 0) ||
      !std::isfinite(value))
    fail(Fault::Usage,
         "{} has '{}'; give numbers above 0 as in {}=800,1600, or a range {}=400:1600:100",
         spelling(flag), text, spelling(flag), spelling(flag));
  return value;
}

/// "FROM:TO:STEP", both ends included.
void add_range(std::string_view text, Flag flag, std::vector<double>& values) {
  const size_t first = text.find(':'), second = text.find(':', first + 1);
  if (second == std::string_view::npos)
    fail(Fault::Usage, "{} has '{}'; a range is FROM:TO:STEP", spelling(flag), text);
  const double from = parse_positive(text.substr(0, first), flag);
  const double to = parse_positive(text.substr(first + 1, second - first - 1), flag);
  const double step = parse_positive(text.substr(second + 1), flag);
  if (to < from)
    fail(Fault::Usage, "{} has '{}', a range that ends before it begins", spelling(flag), text);
  const double count = std::floor((to - from) / step + 1e-9) + 1;
  if (count > static_cast<double>(kMostValues))
    fail(Fault::Usage, "{} has '{}', {:g} values; give at most {}", spelling(flag), text, count,
         kMostValues);
  for (int i = 0; i < static_cast<int>(count); ++i) values.push_back(from + i * step);
}

std::vector<double> numbers(const Settings& settings, Flag flag) {
  std::vector<double> values;
  if (!settings.given(flag)) return values;
  for (const std::string& item : split_list(settings.text(flag))) {
    if (item.find(':') != std::string::npos)
      add_range(item, flag, values);
    else
      values.push_back(parse_positive(item, flag));
  }
  if (values.empty()) fail(Fault::Usage, "{} is empty; give a number above 0", spelling(flag));
  return values;
}

/// The power modes to look at; all that have a DLA for "all".
std::vector<std::string> modes_of(const Settings& settings, const dla::Platform& platform) {
  std::vector<std::string> names = split_list(settings.text(Flag::powerMode));
  if (names.empty()) return {""};
  if (names.front() != kAllModes) return names;
  names.clear();
  for (const dla::PowerMode& mode : platform.modes)
    if (mode.dla_mhz > 0) names.emplace_back(mode.name);
  return names;
}

/// What a board makes of the plan.
struct Row {
  run::Board board;
  double dla_ms = 0, latency_ms = 0;
  std::array<double, ir::kEnumText<dla::Bound>.size()> bound_share{};  ///< of the DLA's time
};

Row row_of(const run::Engine& engine, const run::Board& board) {
  Row row{board};
  const run::Timeline timeline = engine.predict(board);
  row.latency_ms = static_cast<double>(timeline.total.count()) / 1e6;
  double seconds = 0;
  for (const dla::Loadable* loadable : engine.loadables()) {
    if (loadable == nullptr) continue;
    const dla::LoadableTime time = dla::estimate(*loadable, board.clock);
    seconds += time.seconds;
    for (const dla::OperationTime& operation : time.operations)
      row.bound_share[static_cast<size_t>(operation.bound)] += operation.seconds;
  }
  row.dla_ms = 1e3 * seconds;
  for (double& share : row.bound_share) share = seconds > 0 ? share / seconds : 0;
  return row;
}

std::vector<Row> rows_of(const Settings& settings, const run::Engine& engine,
                         run::BoardOptions options) {
  const auto wishes = [](const std::vector<double>& values) {
    std::vector<std::optional<double>> all(values.begin(), values.end());
    if (all.empty()) all.emplace_back();
    return all;
  };
  std::vector<Row> rows;
  for (const std::string& mode : modes_of(settings, *engine.board()->platform))
    for (const auto& clock : wishes(dla_clocks(settings)))
      for (const auto& memory : wishes(dram_bandwidths(settings))) {
        options.power_mode = mode;
        options.dla_mhz = clock;
        options.dram_gb_per_s = memory;
        rows.push_back(row_of(engine, run::board_of(engine.plan().metadata, options)));
      }
  return rows;
}

std::string table_text(const std::vector<Row>& rows, const std::string& errors) {
  std::string text =
      format("What if, on {} (modelled{}):\n", rows.front().board.platform->name, errors);
  text += format("{:<12} {:>9} {:>9} {:>10} {:>12} {:>10}  {}\n", "power mode", "DLA MHz",
                 "DRAM GB/s", "DLA ms", "latency ms", "queries/s", "DLA time bound by");
  for (const Row& row : rows) {
    std::string bounds;
    for (size_t i = 0; i < row.bound_share.size(); ++i)
      if (row.bound_share[i] >= 0.005)
        bounds += format("{}{} {:.0f} %", bounds.empty() ? "" : ", ",
                         ir::text(static_cast<dla::Bound>(i)), 100 * row.bound_share[i]);
    text +=
        format("{:<12} {:>9.6g} {:>9.4g} {:>10.4f} {:>12.4f} {:>10.1f}  {}\n", row.board.mode->name,
               row.board.clock.clock_hz / 1e6, row.board.clock.dram_bytes_per_second / 1e9,
               row.dla_ms, row.latency_ms, 1e3 / row.latency_ms, bounds);
  }
  return text;
}

std::string table_json(const std::vector<Row>& rows, const std::string& errors) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json bounds = nlohmann::ordered_json::object();
    for (size_t i = 0; i < row.bound_share.size(); ++i)
      bounds[std::string(ir::text(static_cast<dla::Bound>(i)))] = row.bound_share[i];
    list.push_back({{"platform", row.board.platform->name},
                    {"power_mode", row.board.mode->name},
                    {"dla_mhz", row.board.clock.clock_hz / 1e6},
                    {"dram_gb_per_s", row.board.clock.dram_bytes_per_second / 1e9},
                    {"kind", "modelled"},
                    {"dla_ms", row.dla_ms},
                    {"latency_ms", row.latency_ms},
                    {"dla_share_bound_by", std::move(bounds)}});
  }
  return nlohmann::ordered_json{{"timeline", "predicted"}, {"error", errors}, {"points", list}}
             .dump(1) +
         "\n";
}

/// ", DLA +-5 %, GPU +-25 %"
std::string errors_of(const run::Engine& engine) {
  std::string text;
  for (const run::Processor processor : {run::Processor::Dla, run::Processor::Gpu}) {
    const auto found =
        std::find_if(engine.steps().begin(), engine.steps().end(), [&](const run::Step& step) {
          return step.processor == processor && (processor == run::Processor::Dla || step.error);
        });
    if (found == engine.steps().end()) continue;
    text += format(", {} {}", processor == run::Processor::Dla ? "DLA" : "GPU",
                   dla::error_text(found->error));
  }
  return text;
}

}  // namespace

std::string power_mode(const Settings& settings) {
  const std::vector<std::string> names = split_list(settings.text(Flag::powerMode));
  return names.empty() || names.front() == kAllModes ? "" : names.front();
}

std::vector<double> dla_clocks(const Settings& settings) {
  return numbers(settings, Flag::dlaClock);
}

std::vector<double> dram_bandwidths(const Settings& settings) {
  return numbers(settings, Flag::dramBandwidth);
}

bool wants_table(const Settings& settings) {
  return split_list(settings.text(Flag::powerMode)).size() > 1 ||
         settings.text(Flag::powerMode) == kAllModes || dla_clocks(settings).size() > 1 ||
         dram_bandwidths(settings).size() > 1;
}

std::string what_if_table(const Settings& settings, const Job& job, const plan::Plan& plan) {
  run::EngineOptions options = job.inference.engine;
  options.predict = true;
  const run::Engine engine(plan, options);
  const std::vector<Row> rows = rows_of(settings, engine, options.board);
  const std::string errors = errors_of(engine);
  return settings.on(Flag::json) ? table_json(rows, errors.empty() ? "" : errors.substr(2))
                                 : table_text(rows, errors);
}

}  // namespace dlaexec::cli
