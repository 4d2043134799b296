// XML read strictly, by expat: what is not well-formed is refused.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dlaexec::test {

struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  ///< of this element alone, pieces joined
  std::vector<XmlElement> children;

  /// The children called @p child, in order.
  std::vector<const XmlElement*> all(std::string_view child) const;
};

/// The root element. Throws std::runtime_error with line and reason for what is not XML.
XmlElement parse_xml(const std::string& text);

}  // namespace dlaexec::test
