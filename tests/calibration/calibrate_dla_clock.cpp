// Holds the DLA's clock model against measured boards and fits its constants.
// scripts/calibrate_dla_clock makes the networks and starts it.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "build/build.h"
#include "calibration/fit.h"
#include "calibration/rows.h"
#include "dla/platform.h"

namespace dlaexec::calibration {
namespace {

constexpr double kMeanLimit = 0.08, kRowLimit = 0.20, kLeftOutLimit = 0.15;
/// The constants in use are rounded results of the fit, nothing else.
constexpr double kRounding = 0.02;
/// What the page has a table of, between marks of that name.
constexpr const char* kCalibration = "calibration";
constexpr const char* kHeldOut = "held out";

/// The loadables of every network in the rows, built once each.
class Networks {
 public:
  explicit Networks(std::string folder) : folder_(std::move(folder)) {}

  /// Milliseconds an image: all loadables of the network, one after the other.
  double predict(const Row& row, const dla::ClockConstants& constants) {
    const dla::Platform& board = dla::platform(row.platform);
    dla::ClockSettings settings = dla::clock_settings(board, dla::power_mode(board, row.mode));
    settings.constants = constants;
    settings.clock_hz = row.clock_mhz * 1e6;
    settings.busy_cores = row.busy_cores;
    settings.sparse_weights = row.is_sparse();
    double seconds = 0;
    for (const dla::Loadable& loadable : loadables(row))
      seconds += dla::estimate(loadable, settings).seconds;
    return 1e3 * seconds / row.batch;
  }

  const std::vector<dla::Loadable>& loadables(const Row& row) {
    const std::string key =
        format("{}-b{} {} {}", row.generator, row.batch, row.is_int8(), row.platform);
    const auto found = built_.find(key);
    if (found != built_.end()) return found->second;
    return built_[key] = build(row);
  }

 private:
  std::vector<dla::Loadable> build(const Row& row) const {
    build::Options options;
    options.model_path = format("{}/{}-b{}.onnx", folder_, row.generator, row.batch);
    options.platform = row.platform;
    options.dla_core = 0;
    options.gpu_fallback = true;
    options.fp16 = true;
    options.int8 = row.is_int8();
    options.pools.dla_sram = int64_t{1} << 20;
    if (options.int8) options.input_formats = {{ir::DataType::Int8, {ir::Format::DlaHwc4}}};
    const plan::Plan plan = build::build(options);
    std::vector<dla::Loadable> loadables;
    for (const plan::Loadable& loadable : plan.loadables)
      loadables.push_back(dla::deserialize(loadable.bytes, loadable.owner));
    return loadables;
  }

  std::string folder_;
  std::map<std::string, std::vector<dla::Loadable>> built_;
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

dla::Generation generation_of(const Row& row) { return dla::platform(row.platform).generation; }

std::vector<Row> rows_of(const std::vector<Row>& rows, dla::Generation generation,
                         const std::string& without = "") {
  std::vector<Row> chosen;
  for (const Row& row : rows)
    if (generation_of(row) == generation && row.generator != without) chosen.push_back(row);
  return chosen;
}

/// The error of a row when its network was not among those that were fitted.
double left_out_error(const Row& row, const std::vector<Row>& rows, const Predict& predict) {
  const dla::Generation generation = generation_of(row);
  const dla::ClockConstants constants =
      fit(rows_of(rows, generation, row.generator), beliefs(generation), predict);
  return predict(row, constants) / row.ms_per_image - 1;
}

/// Absolute errors of rows by generation and network.
using Errors = std::map<dla::Generation, std::map<std::string, std::vector<double>>>;

/// The mean over networks, each of which counts once however many rows it has.
double mean_over_networks(const std::map<std::string, std::vector<double>>& errors) {
  std::vector<double> means;
  for (const auto& [network, found] : errors) means.push_back(mean(found));
  return mean(means);
}

struct Summary {
  std::string text;  ///< Markdown
  bool within_limits;
  Errors left_out;
};

Summary summarize(const std::vector<Row>& rows, const Predict& predict) {
  std::string text =
      "| board | mode | network | precision | batch | cores busy | measured ms | modelled ms | "
      "error | error when "
      "left out |\n|---|---|---|---|---:|---:|---:|---:|---:|---:|\n";
  double sum = 0, largest = 0, left_out_sum = 0;
  int left_out_count = 0;
  Errors left_out_errors;
  for (const Row& row : rows) {
    const double modelled = predict(row, dla::clock_constants(generation_of(row)));
    const double error = modelled / row.ms_per_image - 1;
    sum += std::abs(error);
    largest = std::max(largest, std::abs(error));
    std::string left_out = "-";
    if (row.is_int8() || generation_of(row) == dla::Generation::Xavier) {
      const double without = left_out_error(row, rows, predict);
      left_out_sum += std::abs(without);
      ++left_out_count;
      left_out_errors[generation_of(row)][row.generator].push_back(std::abs(without));
      left_out = format("{:+.1f} %", 100 * without);
    }
    text += format("| {} | {} | {} | {} | {} | {} | {:.3f} | {:.3f} | {:+.1f} % | {} |\n",
                   row.platform, row.mode, row.network, row.precision, row.batch, row.busy_cores,
                   row.ms_per_image, modelled, 100 * error, left_out);
  }
  const double all = sum / static_cast<double>(rows.size()),
               without = left_out_sum / left_out_count;
  text += format(
      "\nMean absolute error {:.1f} % (at most {:.0f} %), largest {:.1f} % (at most {:.0f} %), "
      "mean when the network is "
      "left out {:.1f} % (at most {:.0f} %).\n",
      100 * all, 100 * kMeanLimit, 100 * largest, 100 * kRowLimit, 100 * without,
      100 * kLeftOutLimit);
  return {text, all <= kMeanLimit && largest <= kRowLimit && without <= kLeftOutLimit,
          std::move(left_out_errors)};
}

std::string constants_table(const std::vector<Row>& rows, const Predict& predict) {
  std::string text =
      "| constant | generation | in use | best fit | expected |\n|---|---|---:|---:|---:|\n";
  for (const dla::Generation generation : {dla::Generation::Xavier, dla::Generation::Orin}) {
    const dla::ClockConstants best = fit(rows_of(rows, generation), beliefs(generation), predict);
    for (const Belief& belief : beliefs(generation))
      text += format("| `{}` | {} | {:.4g} | {} | {:.4g} |\n", belief.name, ir::text(generation),
                     dla::clock_constants(generation).*belief.member,
                     belief.spread > 0 ? format("{:.4g}", best.*belief.member) : "fixed",
                     belief.expected);
  }
  return text;
}

struct HeldOut {
  std::string text;  ///< Markdown
  Errors errors;
};

/// The error of every row that no constant was fitted to.
HeldOut held_out_table(const std::vector<Row>& rows, const Predict& predict) {
  std::string text =
      "| board | mode | DLA MHz | network | precision | batch | cores busy | measured ms | "
      "modelled ms | error | source |\n|---|---|---:|---|---|---:|---:|---:|---:|---:|---|\n";
  Errors errors;
  for (const Row& row : rows) {
    const double modelled = predict(row, dla::clock_constants(generation_of(row)));
    const double error = modelled / row.ms_per_image - 1;
    errors[generation_of(row)][row.generator].push_back(std::abs(error));
    text += format("| {} | {} | {:g} | {} | {} | {} | {} | {:.3f} | {:.3f} | {:+.1f} % | {} |\n",
                   row.platform, row.mode, row.clock_mhz, row.network, row.precision, row.batch,
                   row.busy_cores, row.ms_per_image, modelled, 100 * error, row.source);
  }
  for (const auto& [generation, networks] : errors) {
    std::vector<double> all;
    for (const auto& [network, found] : networks) all.insert(all.end(), found.begin(), found.end());
    text += format(
        "\nMean absolute error on {} rows of {}: {:.1f} %, largest {:.1f} %; on its {} networks, "
        "each counted once: {:.1f} %.\n",
        all.size(), ir::text(generation), 100 * mean(all), 100 * *std::ranges::max_element(all),
        networks.size(), 100 * mean_over_networks(networks));
  }
  return {text, errors};
}

/// Where the table called @p name stands in @p page: its first and past its last character.
std::pair<size_t, size_t> place_of(const std::string& page, const char* name) {
  const std::string begin = format("<!-- {}: begin -->\n", name);
  const std::string end = format("<!-- {}: end -->\n", name);
  const size_t first = page.find(begin), last = page.find(end);
  if (first == std::string::npos || last == std::string::npos)
    fail("the page has no '{}' and '{}'", begin, end);
  return {first + begin.size(), last};
}

/// Complains of constants that are not the fit's, rounded.
bool constants_are_fitted(const std::vector<Row>& rows, const Predict& predict) {
  bool fitted = true;
  for (const dla::Generation generation : {dla::Generation::Xavier, dla::Generation::Orin}) {
    const dla::ClockConstants best = fit(rows_of(rows, generation), beliefs(generation), predict);
    for (const Belief& belief : beliefs(generation)) {
      const double used = dla::clock_constants(generation).*belief.member;
      if (std::abs(used - best.*belief.member) <= kRounding * std::abs(best.*belief.member))
        continue;
      std::printf("%s of %s is %g, the fit gives %g\n", belief.name,
                  std::string(ir::text(generation)).c_str(), used, best.*belief.member);
      fitted = false;
    }
  }
  return fitted;
}

/// Complains when the error that reports quote is not that of networks which were never in the fit,
/// or of those left out of it where that is larger, rounded up to a whole percent.
bool stated_errors_hold(const Errors& held_out, const Errors& left_out) {
  bool hold = true;
  for (const auto& [generation, networks] : left_out) {
    const double without = mean_over_networks(networks);
    const double never = mean_over_networks(held_out.at(generation));
    const double stated = dla::stated_error(generation, ir::DataType::Int8).value();
    if (stated == std::ceil(100 * std::max(without, never)) / 100) continue;
    std::printf(
        "the stated error of %s is %g; networks left out are off by %.3f on average, those "
        "held out by %.3f\n",
        std::string(ir::text(generation)).c_str(), stated, without, never);
    hold = false;
  }
  return hold;
}

/// The page's tables by name.
using Tables = std::map<const char*, std::string>;

bool page_is_current(const std::string& path, const Tables& tables) {
  const std::string page = read_file(path);
  for (const auto& [name, text] : tables) {
    const auto [first, last] = place_of(page, name);
    if (page.substr(first, last - first) == text) continue;
    std::printf("%s tells other figures; run scripts/calibrate_dla_clock --accept\n", path.c_str());
    return false;
  }
  return true;
}

void accept(const std::string& path, const Tables& tables) {
  std::string page = read_file(path);
  for (const auto& [name, text] : tables) {
    const auto [first, last] = place_of(page, name);
    page.replace(first, last - first, text);
  }
  write_file(path, page);
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 4 || arguments.size() > 5)
    fail(Fault::Usage,
         "usage: calibrate_dla_clock ROWS.csv HELD-OUT.csv MODELS-FOLDER CLOCK.md "
         "[--check|--accept]");
  const std::string page = arguments[3], wish = arguments.size() == 5 ? arguments[4] : "";
  log::set_sink({});
  const std::vector<Row> rows = read_rows(arguments[0]);
  Networks networks(arguments[2]);
  const Predict predict = [&](const Row& row, const dla::ClockConstants& constants) {
    return networks.predict(row, constants);
  };
  const Summary summary = summarize(rows, predict);
  const HeldOut held_out = held_out_table(read_rows(arguments[1]), predict);
  std::printf("%s\n%s\n%s", summary.text.c_str(), held_out.text.c_str(),
              constants_table(rows, predict).c_str());
  const Tables tables = {{kCalibration, summary.text}, {kHeldOut, held_out.text}};
  if (wish == "--accept") accept(page, tables);
  if (wish != "--check") return 0;
  const bool current = page_is_current(page, tables);
  if (!summary.within_limits) std::printf("an error above is over its limit\n");
  const bool fitted = constants_are_fitted(rows, predict);
  const bool stated = stated_errors_hold(held_out.errors, summary.left_out);
  return current && summary.within_limits && fitted && stated ? 0 : 1;
}

}  // namespace
}  // namespace dlaexec::calibration

int main(int count, char** words) {
  try {
    return dlaexec::calibration::run({words + 1, words + count});
  } catch (const dlaexec::Error& error) {
    std::fprintf(stderr, "calibrate_dla_clock: %s\n", error.what());
    return static_cast<int>(error.fault());
  }
}
