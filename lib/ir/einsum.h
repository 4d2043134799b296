// The equation of an einsum, taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlaexec::ir {

/// One text per input, one letter a dimension; '.' stands for the ellipsis.
struct EinsumTerms {
  std::vector<std::string> inputs;
  std::string output;
};

/// Throws an Error that shows @p equation when it is not one. An equation without "->" gets the
/// output that numpy gives: the ellipsis, then the letters that occur once, in order.
EinsumTerms parse_einsum(std::string_view equation);

}  // namespace dlaexec::ir
