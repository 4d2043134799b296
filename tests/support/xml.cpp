#include "support/xml.h"

#include <expat.h>

#include <memory>
#include <stdexcept>

namespace dlaexec::test {
namespace {

/// The elements that are open, outermost first, below a nameless one that will hold the root.
using Open = std::vector<XmlElement>;

void XMLCALL start(void* data, const char* name, const char** attributes) {
  XmlElement element;
  element.name = name;
  for (; *attributes != nullptr; attributes += 2) element.attributes[attributes[0]] = attributes[1];
  static_cast<Open*>(data)->push_back(std::move(element));
}

void XMLCALL end(void* data, const char*) {
  Open& open = *static_cast<Open*>(data);
  XmlElement done = std::move(open.back());
  open.pop_back();
  open.back().children.push_back(std::move(done));
}

void XMLCALL characters(void* data, const char* text, int length) {
  static_cast<Open*>(data)->back().text.append(text, static_cast<size_t>(length));
}

}  // namespace

std::vector<const XmlElement*> XmlElement::all(std::string_view child) const {
  std::vector<const XmlElement*> found;
  for (const XmlElement& element : children)
    if (element.name == child) found.push_back(&element);
  return found;
}

XmlElement parse_xml(const std::string& text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  Open open(1);
  XML_SetUserData(parser.get(), &open);
  XML_SetElementHandler(parser.get(), start, end);
  XML_SetCharacterDataHandler(parser.get(), characters);
  if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) !=
      XML_STATUS_OK)
    throw std::runtime_error("line " + std::to_string(XML_GetCurrentLineNumber(parser.get())) +
                             ": " + XML_ErrorString(XML_GetErrorCode(parser.get())));
  return open.front().children.front();
}

}  // namespace dlaexec::test
