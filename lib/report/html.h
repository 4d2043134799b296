// Pieces of an HTML page.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dlaexec::report::html {

/// Text as it stands between tags and in quoted attributes.
std::string escaped(std::string_view text);

/// A share of a whole, 0 to 100; @p kind names its colour: host, gpu, dla or plain.
struct Share {
  std::string kind;
  double percent = 0;
};

/// A horizontal bar for one share.
std::string bar(const Share& share);

/// One bar as wide as the page, cut into @p shares, with its legend: @p labels, one each, are HTML.
std::string stacked_bar(std::span<const Share> shares, std::span<const std::string> labels);

/// A table whose cells are HTML already. Where the page is narrow, a row becomes a paragraph: its
/// first cell, then the others with their headers.
class Table {
 public:
  /// A column's header; one that starts with # is of numbers and set to the right.
  explicit Table(const std::vector<std::string>& headers);

  void row(const std::vector<std::string>& cells);
  std::string text() const { return text_ + "</tbody></table>\n"; }

 private:
  struct Column {
    std::string header;  ///< HTML
    bool numeric = false;
  };
  std::vector<Column> columns_;
  std::string text_;
};

/// @p body under a line that opens and closes it.
std::string folded(std::string_view summary, std::string_view body);

/// A page of its own, well-formed as XML, too: no script, nothing fetched, light or dark as the
/// reader's system is, for screens, phones and paper.
std::string page(std::string_view title, std::string_view body);

}  // namespace dlaexec::report::html
