// Pieces of an HTML page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlaexec::report::html {

/// Text as it stands between tags and in quoted attributes.
std::string escaped(std::string_view text);

/// A horizontal bar for a share of 0 to 100; @p kind names its colour: host, gpu, dla or plain.
std::string bar(double percent, std::string_view kind);

/// A table whose cells are HTML already.
class Table {
 public:
  /// A column's header; one that starts with # is of numbers and set to the right.
  explicit Table(const std::vector<std::string>& headers);

  void row(const std::vector<std::string>& cells);
  std::string text() const { return text_ + "</table>\n"; }

 private:
  std::vector<bool> numeric_;
  std::string text_;
};

/// A page of its own, well-formed as XML, too: no script, nothing fetched, light or dark as the
/// reader's system is.
std::string page(std::string_view title, std::string_view body);

}  // namespace dlaexec::report::html
