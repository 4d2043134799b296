// What one pointwise node computes, as an expression of device code. Reals are computed in float,
// integers in long long.
#pragma once

#include <string>

#include "ir/attributes.h"

namespace dlaexec::gpu {

/// An expression of device code and what it computes.
struct Expression {
  std::string text;  ///< empty: there is none for such operands
  bool integer = false;
};

/// A float literal that reads back as the same number.
std::string literal(float value);

/// @p e converted to float, if it is none.
std::string as_real(const Expression& e);

Expression unary(const ir::UnaryAttributes& attributes, const Expression& x);
Expression binary(const ir::ElementwiseAttributes& attributes, const Expression& a,
                  const Expression& b);
/// @p x in steps of @p scale from @p zero on, an integer of type @p to; and back.
Expression quantized(const Expression& x, const Expression& scale, const Expression& zero,
                     ir::DataType to);
Expression dequantized(const Expression& x, const Expression& scale, const Expression& zero);
std::string activated(ir::ActivationKind kind, float alpha, float beta, const std::string& x);

}  // namespace dlaexec::gpu
