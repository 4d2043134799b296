#include "support/markdown_table.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace dlaexec::test {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The cells of a line that starts with '|'; a backslash takes its meaning from what follows.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::string cell;
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|') {
      cells.push_back(trimmed(cell));
      cell.clear();
    } else {
      if (line[i] == '\\' && i + 1 < line.size()) ++i;
      cell += line[i];
    }
  }
  if (!cell.empty()) throw std::runtime_error("a row without an end: " + line);
  return cells;
}

}  // namespace

std::vector<std::vector<std::string>> table_rows(const std::string& page) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(page);
  size_t columns = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("|")) {
      columns = 0;
      continue;
    }
    rows.push_back(cells_of(line));
    if (columns != 0 && rows.back().size() != columns)
      throw std::runtime_error("a row with another number of cells than its header: " + line);
    columns = rows.back().size();
  }
  return rows;
}

std::vector<std::string> row_of(const std::vector<std::vector<std::string>>& rows,
                                const std::string& first) {
  for (const auto& row : rows)
    if (!row.empty() && row.front() == first) return row;
  return {};
}

}  // namespace dlaexec::test
