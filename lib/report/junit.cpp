#include "report/junit.h"

#include "base/format.h"

namespace dlaexec::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// How many bytes the UTF-8 character at @p at has; 0 when there is none that XML allows.
size_t character_length(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  const size_t length = lead >= 0xF0 && lead <= 0xF4   ? 4
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xC2 && lead <= 0xDF ? 2
                                                       : 0;
  if (length == 0 || at + length > text.size()) return 0;
  uint32_t code = lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return 0;
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  const bool is_allowed = !is_surrogate && code <= 0x10FFFF && code != 0xFFFE && code != 0xFFFF;
  return code >= kLeast[length] && is_allowed ? length : 0;
}

std::string_view markup(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\n':
      return "&#10;";  // a plain one becomes a space in attributes
    case '\t':
      return "&#9;";
    case '\r':
      return "&#13;";
    default:
      return "";
  }
}

std::string case_xml(const Gate& gate, Undecided undecided) {
  std::string lines = gate.sentence;
  for (const std::string& culprit : gate.culprits) lines += "\n" + culprit;
  // "latency.max" becomes the class "gate.latency" with the case "max".
  const size_t dot = gate.id.find('.');
  const std::string group = gate.id.substr(0, dot);
  const std::string name = dot == std::string::npos ? gate.id : gate.id.substr(dot + 1);
  std::string xml = format("  <testcase classname=\"gate.{}\" name=\"{}\" time=\"0\"",
                           xml_text(group), xml_text(name));
  const bool is_open = gate.outcome == Outcome::Inconclusive;
  if (gate.outcome == Outcome::Failed || (is_open && undecided == Undecided::Fail))
    return xml + format(">\n   <failure message=\"{}\" type=\"{}\">{}</failure>\n  </testcase>\n",
                        xml_text(gate.sentence), ir::text(gate.outcome), xml_text(lines));
  if (is_open)
    return xml + format(">\n   <skipped message=\"{}\"/>\n  </testcase>\n", xml_text(lines));
  return xml +
         format(">\n   <system-out>{}</system-out>\n  </testcase>\n", xml_text(gate.sentence));
}

}  // namespace

std::string xml_text(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_length(text, at);
    const std::string_view replaced = length == 1 ? markup(text[at]) : "";
    if (length == 0)
      escaped += kReplacement;
    else if (!replaced.empty())
      escaped += replaced;
    else
      escaped += text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return escaped;
}

std::string junit_xml(std::span<const Gate> gates, const JUnitSuite& suite, Undecided undecided) {
  size_t failures = 0, skipped = 0;
  for (const Gate& gate : gates) {
    const bool is_open = gate.outcome == Outcome::Inconclusive;
    const bool fails = gate.outcome == Outcome::Failed || (is_open && undecided == Undecided::Fail);
    failures += fails ? 1 : 0;
    skipped += is_open && !fails ? 1 : 0;
  }
  const std::string counts = format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
                                    gates.size(), failures, skipped);
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += format(
      "<testsuites {} time=\"{:.3f}\">\n <testsuite name=\"{}\" {} time=\"{:.3f}\" "
      "timestamp=\"{}\">\n  <properties>\n",
      counts, suite.seconds, xml_text(suite.name), counts, suite.seconds,
      xml_text(suite.timestamp));
  for (const auto& [name, value] : suite.properties)
    xml += format("   <property name=\"{}\" value=\"{}\"/>\n", xml_text(name), xml_text(value));
  xml += "  </properties>\n";
  for (const Gate& gate : gates) xml += case_xml(gate, undecided);
  return xml + " </testsuite>\n</testsuites>\n";
}

}  // namespace dlaexec::report
