#include "report/html.h"

#include <algorithm>

#include "base/format.h"

namespace dlaexec::report::html {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5d6573; --line: #d8dce2; --back: #fff;
  --host: #8a93a6; --gpu: #4f9d3a; --dla: #2f6fdb; --plain: #8a93a6; --bad: #c62f2f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #9aa3b2; --line: #363c47; --back: #15181d; --bad: #ff7b72; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, p, li, summary, td:first-child { overflow-wrap: anywhere; } td:first-child { min-width: 6rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
h3 .soft { font-weight: 400; } .soft { color: var(--soft); } .bad { color: var(--bad); font-weight: 600; }
ul { padding-left: 1.2rem; margin: .6rem 0; } code { font-size: .85em; }
.figures { display: flex; flex-wrap: wrap; gap: 1.2rem 2.8rem; margin: 1.4rem 0; }
.figures b { display: block; font-size: 1.7rem; font-weight: 600; } .figures small { font-size: .6em; font-weight: 400; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .4rem 0 1rem; }
th { text-align: left; color: var(--soft); font-weight: 500; white-space: nowrap; }
th, td { padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.track { display: inline-block; width: 6rem; } .bar { display: inline-block; height: .7em; border-radius: 2px; min-width: 1px; }
.stack { display: flex; height: 1.3rem; border-radius: 4px; overflow: hidden; margin: .4rem 0; gap: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: 0 0 .8rem; font-size: .9rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .45em; }
.host { background: var(--host); } .gpu { background: var(--gpu); } .dla { background: var(--dla); } .plain { background: var(--plain); }
summary { color: var(--soft); cursor: pointer; margin: .6rem 0; }
svg { display: block; width: 100%; max-width: 720px; height: auto; margin: .6rem 0; } rect { fill: var(--dla); } text { fill: var(--soft); font-size: 11px; }
@media screen and (max-width: 44rem) {
  table, tbody { display: block; } thead { display: none; }
  tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .45rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: 0; } td:first-child { width: 100%; font-weight: 600; } td div { display: inline; } td:empty { display: none; }
  td[title]:not(:first-child)::before { content: attr(title) ' '; color: var(--soft); }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --back: #fff; --bad: #a00; }
  @page { margin: 14mm; } body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  tr, .figures, svg { break-inside: avoid; } .figures { gap: .8rem 1.6rem; } .figures b { font-size: 1.3rem; } h2, h3 { break-after: avoid; } details { display: none; }
  .bar, .stack span, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string bar(const Share& share) {
  return format(R"(<span class="track"><span class="bar {}" style="width:{:.1f}%"></span></span>)",
                share.kind, std::clamp(share.percent, 0.0, 100.0));
}

std::string stacked_bar(std::span<const Share> shares, std::span<const std::string> labels) {
  std::string bars, legend;
  for (size_t i = 0; i < shares.size(); ++i) {
    bars += format(R"(<span class="{}" style="width:{:.1f}%"></span>)", shares[i].kind,
                   std::clamp(shares[i].percent, 0.0, 100.0));
    legend += format(R"(<span><span class="dot {}"></span>{}</span>)", shares[i].kind, labels[i]);
  }
  return format("<div class=\"stack\">{}</div>\n<p class=\"legend\">{}</p>\n", bars, legend);
}

Table::Table(const std::vector<std::string>& headers) : text_("<table><thead><tr>") {
  for (const std::string& header : headers) {
    const bool numeric = header.starts_with('#');
    columns_.push_back({escaped(std::string_view(header).substr(numeric ? 1 : 0)), numeric});
    text_ += format("<th{}>{}</th>", numeric ? R"( class="n")" : "", columns_.back().header);
  }
  text_ += "</tr></thead><tbody>\n";
}

void Table::row(const std::vector<std::string>& cells) {
  text_ += "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto& [header, numeric] = columns_[i];
    text_ += format("<td{}{}>{}</td>", numeric ? R"( class="n")" : "",
                    header.empty() ? "" : format(R"( title="{}")", header), cells[i]);
  }
  text_ += "</tr>\n";
}

std::string folded(std::string_view summary, std::string_view body) {
  return format("<details><summary>{}</summary>\n{}</details>\n", summary, body);
}

std::string page(std::string_view title, std::string_view body) {
  return format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      escaped(title), kStyle, body);
}

}  // namespace dlaexec::report::html
