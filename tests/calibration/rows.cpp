#include "calibration/rows.h"

#include <map>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace dlaexec::calibration {
namespace {

/// The cells of a CSV line; a cell in double quotes may hold commas.
std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

std::string generator_of(const std::string& network) {
  return network == "resnet50-v1.5" ? "resnet50" : network;
}

/// A column of its own, or what the notes say.
int busy_cores(std::map<std::string, std::string>& cell) {
  if (cell.contains("busy_cores")) return std::stoi(cell["busy_cores"]);
  return cell["notes"].find("two cores") != std::string::npos ? 2 : 1;
}

}  // namespace

std::vector<Row> read_rows(const std::string& path) {
  std::istringstream file(read_file(path));
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> names = split(line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line);
    if (cells.size() != names.size())
      fail("'{}' has a line of {} cells under {} names: {}", path, cells.size(), names.size(),
           line);
    std::map<std::string, std::string> cell;
    for (size_t i = 0; i < names.size(); ++i) cell[names[i]] = cells[i];
    Row row;
    row.platform = cell["platform"];
    row.mode = cell["power_mode"];
    row.network = cell["network"];
    row.generator = generator_of(row.network);
    row.precision = cell["precision"];
    row.batch = std::stoi(cell["batch"]);
    row.busy_cores = busy_cores(cell);
    row.clock_mhz = std::stod(cell["dla_clock_mhz"]);
    row.ms_per_image = std::stod(cell["ms_per_image"]);
    row.source = cell["source"];
    rows.push_back(row);
  }
  return rows;
}

}  // namespace dlaexec::calibration
