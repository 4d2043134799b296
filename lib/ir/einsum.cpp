#include "ir/einsum.h"

#include <cctype>
#include <map>

#include "base/error.h"

namespace dlaexec::ir {
namespace {

[[noreturn]] void fail_equation(std::string_view equation) {
  fail("'{}' is not an einsum equation such as 'bij,bjk->bik'", equation);
}

/// Reads letters and at most one "..." up to ',' or the end; spaces do not count.
std::string read_term(std::string_view text, std::string_view equation) {
  std::string term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "..." && term.find('.') == std::string::npos) {
      term += '.';
      i += 2;
    } else if (std::isalpha(static_cast<unsigned char>(text[i]))) {
      term += text[i];
    } else {
      fail_equation(equation);
    }
  }
  return term;
}

}  // namespace

EinsumTerms parse_einsum(std::string_view equation) {
  const size_t arrow = equation.find("->");
  std::string_view left = equation.substr(0, arrow);
  EinsumTerms terms;
  while (true) {
    const size_t comma = left.find(',');
    terms.inputs.push_back(read_term(left.substr(0, comma), equation));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (arrow != std::string_view::npos) {
    terms.output = read_term(equation.substr(arrow + 2), equation);
    return terms;
  }
  std::map<char, int> counts;
  for (const std::string& term : terms.inputs)
    for (const char letter : term) ++counts[letter];
  if (counts.contains('.')) terms.output += '.';
  for (const auto& [letter, count] : counts)
    if (letter != '.' && count == 1) terms.output += letter;
  return terms;
}

}  // namespace dlaexec::ir
