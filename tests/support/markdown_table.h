// Markdown tables read strictly, as GitHub reads them.
#pragma once

#include <string>
#include <vector>

namespace dlaexec::test {

/// The cells of every row of every table of @p page, headers included, blanks around them removed.
/// Throws std::runtime_error for a row without an end, or with another number of cells than its
/// header.
std::vector<std::vector<std::string>> table_rows(const std::string& page);

/// The first of @p rows that starts with @p first; empty when there is none.
std::vector<std::string> row_of(const std::vector<std::vector<std::string>>& rows,
                                const std::string& first);

}  // namespace dlaexec::test
