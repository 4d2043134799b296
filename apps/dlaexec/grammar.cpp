#include "grammar.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "bench/measure.h"
#include "ir/type_flags.h"

namespace dlaexec::cli {
namespace {

constexpr size_t kMostDims = 8;

/// A non-negative whole number that fills the text; nothing otherwise.
std::optional<int64_t> parse_natural(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

/// Commas inside brackets do not separate, so that [1,3] is one element.
std::vector<std::string> split_outside_brackets(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    depth += (c == '[') - (c == ']');
    if (c == ',' && depth == 0) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!part.empty()) parts.push_back(std::move(part));
  return parts;
}

ir::Dims parse_separated_dims(std::string_view text, char separator) {
  ir::Dims dims;
  for (const std::string_view part : split_at(text, separator)) {
    const auto dim = parse_natural(part);
    if (!dim)
      fail(Fault::Usage, "shape '{}' has '{}' where a number must stand; write 1x3x224x224", text,
           part);
    dims.push_back(*dim);
  }
  if (dims.size() > kMostDims)
    fail(Fault::Usage, "shape '{}' has {} dimensions; {} are the most", text, dims.size(),
         kMostDims);
  return dims;
}

struct PoolName {
  std::string_view name;
  std::optional<int64_t> PoolSizes::*size;
};
constexpr PoolName kPools[] = {{"workspace", &PoolSizes::workspace},
                               {"dlaSRAM", &PoolSizes::dla_sram},
                               {"dlaLocalDRAM", &PoolSizes::dla_local_dram},
                               {"dlaGlobalDRAM", &PoolSizes::dla_global_dram},
                               {"tacticSharedMem", &PoolSizes::tactic_shared_memory}};

/// The largest dlaSRAM that can be asked for, in bytes.
constexpr int64_t kMostSram = int64_t{1} << 30;

int64_t power_of_two_below(int64_t bytes) {
  int64_t power = 1;
  while (power * 2 <= bytes) power *= 2;
  return bytes == 0 ? 0 : power;
}

ir::Format parse_format(std::string_view text, std::string_view flag) {
  if (text == "hwc4") return ir::Format::DlaHwc4;  // as NVIDIA's DLA pages write it
  if (const auto format = ir::parse_enum<ir::Format>(text)) return *format;
  fail(Fault::Usage, "{} has format '{}'; known formats are {}", flag, text,
       join(ir::kEnumText<ir::Format>, ", "));
}

std::vector<ir::DataType> parse_types(std::string_view text, std::string_view flag) {
  std::vector<ir::DataType> types;
  for (const std::string_view part : split_at(text, '+'))
    types.push_back(parse_data_type(part, flag));
  return types;
}

/// Puts the pair at the end unless the key is there already; then it replaces the value.
template <class Value>
void put(std::vector<std::pair<std::string, Value>>& list, std::string key, Value value) {
  for (auto& [known, held] : list)
    if (known == key) {
      held = std::move(value);
      return;
    }
  list.emplace_back(std::move(key), std::move(value));
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  for (const std::string_view part : split_at(text, ',')) parts.emplace_back(part);
  if (parts.back().empty()) parts.pop_back();
  return parts;
}

Pair split_pair(std::string_view text) {
  const auto quotes = std::count(text.begin(), text.end(), '\'');
  if (quotes == 0) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {std::string(text), std::string(text)};
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
  }
  if (quotes != 2)
    fail(Fault::Usage, "'{}' has {} quotes; a quoted name has 2: 'name':value", text, quotes);
  const size_t close = text.rfind('\'');
  std::string name(text.substr(0, close));
  std::erase(name, '\'');
  const std::string_view rest = text.substr(close + 1);
  return {std::move(name), std::string(rest.empty() ? rest : rest.substr(1))};
}

std::vector<Pair> split_pairs(std::string_view text) {
  std::vector<Pair> pairs;
  for (const std::string& part : split_outside_brackets(text)) pairs.push_back(split_pair(part));
  return pairs;
}

ir::Dims parse_dims(std::string_view text) {
  if (text.empty() || text == "scalar") return {};
  if (text.front() == '[' && text.back() == ']') {
    const std::string_view inner = text.substr(1, text.size() - 2);
    return inner.empty() ? ir::Dims{} : parse_separated_dims(inner, ',');
  }
  return parse_separated_dims(text, 'x');
}

std::vector<NamedDims> parse_shapes(std::string_view text, std::string_view flag) {
  std::vector<NamedDims> shapes;
  for (const Pair& pair : split_pairs(text)) {
    if (pair.name.empty())
      fail(Fault::Usage, "{} has a shape without an input's name; write INPUT:1x3x224x224", flag);
    if (pair.name == pair.value)
      fail(Fault::Usage, "{} has '{}'; write INPUT:1x3x224x224", flag, pair.name);
    NamedDims shape{pair.name, in_context([&] { return format("reading {}", flag); },
                                          [&] { return parse_dims(pair.value); })};
    const auto same = std::find_if(shapes.begin(), shapes.end(),
                                   [&](const NamedDims& s) { return s.name == shape.name; });
    if (same != shapes.end())
      *same = std::move(shape);
    else
      shapes.push_back(std::move(shape));
  }
  return shapes;
}

std::vector<NamedFile> named_files(std::string_view text) {
  std::vector<NamedFile> files;
  for (const Pair& pair : split_pairs(text)) {
    const bool known = std::any_of(files.begin(), files.end(),
                                   [&](const NamedFile& f) { return f.name == pair.name; });
    if (!known) files.push_back({pair.name, pair.value});
  }
  return files;
}

int64_t parse_size(std::string_view text, std::string_view flag) {
  const std::string copy(text);
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  const std::string_view unit(end);
  constexpr struct {
    std::string_view unit;
    double bytes;
  } kUnits[] = {{"", 1 << 20},    {"B", 1},        {"K", 1 << 10},  {"KB", 1 << 10},
                {"KiB", 1 << 10}, {"M", 1 << 20},  {"MB", 1 << 20}, {"MiB", 1 << 20},
                {"G", 1 << 30},   {"GB", 1 << 30}, {"GiB", 1 << 30}};
  const auto known = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const auto& row) { return row.unit == unit; });
  if (end == copy.c_str() || !std::isfinite(number) || known == std::end(kUnits))
    fail(Fault::Usage, "{} has size '{}'; write MiB as a number, or a number with B, K, M or G",
         flag, text);
  if (number < 0) fail(Fault::Usage, "{} has size {}; give 0 or more", flag, text);
  if (number * known->bytes > 0x1p62) fail(Fault::Usage, "{} has size {}, too large", flag, text);
  return static_cast<int64_t>(number * known->bytes);
}

PoolSizes parse_pools(std::string_view text, Units units) {
  PoolSizes sizes;
  for (const Pair& pair : split_pairs(text)) {
    const auto pool = std::find_if(std::begin(kPools), std::end(kPools),
                                   [&](const PoolName& row) { return row.name == pair.name; });
    if (pool == std::end(kPools))
      fail(Fault::Usage, "--memPoolSize has pool '{}'; known pools are {}", pair.name,
           join(kPools, ", ", [](const PoolName& row) { return std::string(row.name); }));
    std::string_view value = pair.value;
    if (units == Units::Ignored) value = value.substr(0, value.find_first_of("BKMGi"));
    int64_t bytes = parse_size(value, "--memPoolSize");
    if (pair.name == "dlaSRAM") bytes = power_of_two_below(std::min(bytes, kMostSram));
    sizes.*pool->size = bytes;
  }
  return sizes;
}

std::vector<IoFormat> parse_io_formats(std::string_view text, std::string_view flag,
                                       IoTypes types) {
  std::vector<IoFormat> entries;
  for (const std::string& part : split_list(text)) {
    const size_t colon = part.find(':');
    const bool typed = types == IoTypes::Given;
    if (typed && colon == std::string::npos)
      fail(Fault::Usage, "{} has '{}'; write TYPE:FORMAT, as fp16:chw16", flag, part);
    if (!typed && colon != std::string::npos)
      fail(Fault::Usage, "{} has '{}'; trtexec 11 takes the type from the network: write FORMAT",
           flag, part);
    IoFormat entry;
    if (typed) entry.type = parse_data_type(std::string_view(part).substr(0, colon), flag);
    const std::string_view formats = std::string_view(part).substr(typed ? colon + 1 : 0);
    for (const std::string_view name : split_at(formats, '+'))
      entry.formats.push_back(parse_format(name, flag));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string to_text(const IoFormat& format) {
  std::string text;
  for (const ir::Format layout : format.formats) {
    if (!text.empty() || layout != ir::Format::Linear) text += '+';
    text += ir::text(layout);
  }
  return std::string(ir::flag_text(format.type)) + ":" + text;
}

ir::DataType parse_data_type(std::string_view text, std::string_view flag) {
  if (const auto type = ir::type_of_flag(text)) return *type;
  fail(Fault::Usage, "{} has type '{}'; known types are {}", flag, text,
       join(ir::kFlagTypes, ", "));
}

std::vector<std::pair<std::string, ir::Device>> parse_layer_devices(std::string_view text) {
  std::vector<std::pair<std::string, ir::Device>> devices;
  for (const Pair& pair : split_pairs(text)) {
    if (pair.value != "GPU" && pair.value != "DLA")
      fail(Fault::Usage, "--layerDeviceTypes has device '{}' for '{}'; give GPU or DLA", pair.value,
           pair.name);
    put(devices, pair.name, pair.value == "DLA" ? ir::Device::Dla : ir::Device::Gpu);
  }
  return devices;
}

std::vector<std::pair<std::string, ir::DataType>> parse_layer_precisions(std::string_view text) {
  std::vector<std::pair<std::string, ir::DataType>> precisions;
  for (const Pair& pair : split_pairs(text))
    put(precisions, pair.name, parse_data_type(pair.value, "--layerPrecisions"));
  return precisions;
}

std::vector<std::pair<std::string, std::vector<ir::DataType>>> parse_layer_output_types(
    std::string_view text) {
  std::vector<std::pair<std::string, std::vector<ir::DataType>>> types;
  for (const Pair& pair : split_pairs(text))
    put(types, pair.name, parse_types(pair.value, "--layerOutputTypes"));
  return types;
}

std::vector<SignedName> parse_signed(std::string_view text, std::string_view flag,
                                     std::span<const std::string_view> names) {
  std::vector<SignedName> entries;
  for (const std::string& part : split_list(text)) {
    if (part.empty() || (part.front() != '+' && part.front() != '-'))
      fail(Fault::Usage, "{} has '{}' without a sign; write +{} or -{}", flag, part, part, part);
    const auto known = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
      return std::equal(
          name.begin(), name.end(), part.begin() + 1, part.end(),
          [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    });
    if (known == names.end())
      fail(Fault::Usage, "{} has '{}'; known names are {}", flag, part.substr(1),
           join(names, ", "));
    for (const SignedName& before : entries)
      if (before.name == *known && before.on != (part.front() == '+'))
        fail(Fault::Usage, "{} switches {} on and off; give it one sign", flag, *known);
    entries.push_back({std::string(*known), part.front() == '+'});
  }
  return entries;
}

TemporaryFiles parse_temporary_files(std::string_view text) {
  TemporaryFiles files;
  for (const Pair& pair : split_pairs(text)) {
    const bool known = pair.name == "in_memory" || pair.name == "temporary";
    if (!known || (pair.value != "allow" && pair.value != "deny"))
      fail(Fault::Usage,
           "--tempfileControls has '{}:{}'; write in_memory or temporary, then allow or deny, as "
           "in_memory:deny",
           pair.name, pair.value);
    (pair.name == "temporary" ? files.temporary : files.in_memory) = pair.value == "allow";
  }
  return files;
}

std::vector<float> parse_percentiles(std::string_view text) {
  std::vector<float> ranks;
  for (const std::string& part : split_list(text)) {
    char* end = nullptr;
    const float rank = std::strtof(part.c_str(), &end);
    if (end == part.c_str() || *end != '\0' || !(rank >= 0 && rank <= 100))
      fail(Fault::Usage, "--percentile has '{}'; give numbers from 0 to 100, as 90,95,99", part);
    ranks.push_back(rank);
  }
  if (ranks.empty()) fail(Fault::Usage, "--percentile is empty; give numbers, as 90,95,99");
  return ranks;
}

double parse_percent(std::string_view text, std::string_view flag) {
  std::string copy(text);
  if (copy.ends_with('%')) copy.pop_back();
  char* end = nullptr;
  const double percent = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != '\0' || !(percent >= 0 && percent <= 1e6))
    fail(Fault::Usage, "{} is '{}'; give percent, as 5%", flag, text);
  return percent / 100;
}

bench::Stability parse_stability(std::string_view text) {
  constexpr double kMostSeconds = 60;
  const std::vector<std::string_view> parts = split_at(text, ':');
  const auto seconds = [&](size_t index, double standard) {
    if (index >= parts.size()) return standard;
    const std::string part(parts[index]);
    char* end = nullptr;
    const double value = std::strtod(part.c_str(), &end);
    if (part.empty() || *end != '\0' || !(value >= 0 && value <= 1e9))
      fail(Fault::Usage, "--untilStable has '{}'; write PERCENT:LEAST:MOST, as 1:0.5:20", part);
    return value;
  };
  bench::Stability stability{parse_percent(parts.front(), "--untilStable"), seconds(1, 0) * 1000,
                             seconds(2, kMostSeconds) * 1000};
  if (parts.size() > 3 || stability.half_width <= 0 || stability.least_ms > stability.most_ms)
    fail(Fault::Usage,
         "--untilStable is '{}'; write PERCENT:LEAST:MOST with a percentage above 0, as 1:0.5:20",
         text);
  return stability;
}

}  // namespace dlaexec::cli
