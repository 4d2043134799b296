#include "report/html.h"

#include <algorithm>

#include "base/format.h"

namespace dlaexec::report::html {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2024; --soft: #667; --line: #d8dce2; --back: #fff;
  --host: #8a93a6; --gpu: #4f9d3a; --dla: #2f6fdb; --plain: #8a93a6; --bad: #c62f2f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7ec; --soft: #9aa3b2; --line: #363c47; --back: #15181d; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .bad { color: var(--bad); font-weight: 600; }
.figures { display: flex; flex-wrap: wrap; gap: 1.2rem 2.8rem; margin: 1.4rem 0; }
.figures b { display: block; font-size: 1.7rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } .wide { overflow-x: auto; }
th { text-align: left; color: var(--soft); font-weight: 500; } th, td { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: break-word; max-width: 24rem; } .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .7em; border-radius: 2px; min-width: 1px; }
.track { display: inline-block; width: 8rem; } .host { background: var(--host); } .gpu { background: var(--gpu); } .dla { background: var(--dla); } .plain { background: var(--plain); }
code { font-size: .85em; overflow-wrap: anywhere; } svg { display: block; } rect { fill: var(--dla); } text { fill: var(--soft); font-size: 11px; }
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

std::string bar(double percent, std::string_view kind) {
  return format(R"(<span class="track"><span class="bar {}" style="width:{:.1f}%"></span></span>)",
                kind, std::clamp(percent, 0.0, 100.0));
}

Table::Table(const std::vector<std::string>& headers) : text_("<table><tr>") {
  for (const std::string& header : headers) {
    numeric_.push_back(header.starts_with('#'));
    text_ += format("<th{}>{}</th>", numeric_.back() ? R"( class="n")" : "",
                    escaped(std::string_view(header).substr(numeric_.back() ? 1 : 0)));
  }
  text_ += "</tr>\n";
}

void Table::row(const std::vector<std::string>& cells) {
  text_ += "<tr>";
  for (size_t i = 0; i < cells.size(); ++i)
    text_ += format("<td{}>{}</td>", numeric_[i] ? R"( class="n")" : "", cells[i]);
  text_ += "</tr>\n";
}

std::string page(std::string_view title, std::string_view body) {
  return format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      escaped(title), kStyle, body);
}

}  // namespace dlaexec::report::html
