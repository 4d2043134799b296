#include "gpu/chain_expression.h"

#include <limits>

#include "base/format.h"
#include "gpu/lowering.h"

namespace dlaexec::gpu {
namespace {

/// How a kind is written, $a and $b standing for its operands.
template <class Kind>
struct Words {
  Kind kind;
  std::string_view real;     ///< of floats; empty: integers alone have it
  std::string_view integer;  ///< of integers; empty: they are converted to float
  bool tests = false;        ///< gives an integer, of floats too
};

// clang-format off
using Unary = ir::UnaryKind;
constexpr Words<Unary> kUnary[] = {
    {Unary::Exp, "expf($a)", ""},
    {Unary::Log, "logf($a)", ""},
    {Unary::Sqrt, "sqrtf($a)", ""},
    {Unary::Reciprocal, "1.0f / $a", ""},
    {Unary::Abs, "fabsf($a)", "($a < 0 ? pointwise::difference(0, $a) : $a)"},
    {Unary::Neg, "-$a", "pointwise::difference(0, $a)"},
    {Unary::Sin, "sinf($a)", ""},
    {Unary::Cos, "cosf($a)", ""},
    {Unary::Tan, "tanf($a)", ""},
    {Unary::Sinh, "sinhf($a)", ""},
    {Unary::Cosh, "coshf($a)", ""},
    {Unary::Asin, "asinf($a)", ""},
    {Unary::Acos, "acosf($a)", ""},
    {Unary::Atan, "atanf($a)", ""},
    {Unary::Asinh, "asinhf($a)", ""},
    {Unary::Acosh, "acoshf($a)", ""},
    {Unary::Atanh, "atanhf($a)", ""},
    {Unary::Ceil, "ceilf($a)", "$a"},
    {Unary::Floor, "floorf($a)", "$a"},
    {Unary::Round, "rintf($a)", "$a"},
    {Unary::Sign, "pointwise::sign($a)", "static_cast<long long>(($a > 0) - ($a < 0))"},
    {Unary::Erf, "erff($a)", ""},
    {Unary::IsNan, "static_cast<long long>($a != $a)", "", true},
    {Unary::Not, "", "static_cast<long long>($a == 0)"},
    {Unary::BitwiseNot, "", "~$a"},
};

using Binary = ir::ElementwiseKind;
constexpr Words<Binary> kBinary[] = {
    {Binary::Sum, "__fadd_rn($a, $b)", "pointwise::sum($a, $b)"},
    {Binary::Sub, "__fsub_rn($a, $b)", "pointwise::difference($a, $b)"},
    {Binary::Prod, "__fmul_rn($a, $b)", "pointwise::product($a, $b)"},
    {Binary::Div, "$a / $b", "pointwise::quotient($a, $b)"},
    {Binary::Pow, "powf($a, $b)", "pointwise::power($a, $b)"},
    {Binary::Min, "pointwise::least($a, $b)", "pointwise::least($a, $b)"},
    {Binary::Max, "pointwise::largest($a, $b)", "pointwise::largest($a, $b)"},
    {Binary::Mod, "pointwise::floor_mod($a, $b)", "pointwise::floor_rest($a, $b)"},
    {Binary::Fmod, "fmodf($a, $b)", "pointwise::rest($a, $b)"},
    {Binary::Equal, "static_cast<long long>($a == $b)", "static_cast<long long>($a == $b)", true},
    {Binary::Less, "static_cast<long long>($a < $b)", "static_cast<long long>($a < $b)", true},
    {Binary::Greater, "static_cast<long long>($a > $b)", "static_cast<long long>($a > $b)", true},
    {Binary::LessOrEqual, "static_cast<long long>($a <= $b)", "static_cast<long long>($a <= $b)", true},
    {Binary::GreaterOrEqual, "static_cast<long long>($a >= $b)", "static_cast<long long>($a >= $b)", true},
    {Binary::And, "", "static_cast<long long>(($a != 0) && ($b != 0))"},
    {Binary::Or, "", "static_cast<long long>(($a != 0) || ($b != 0))"},
    {Binary::Xor, "", "static_cast<long long>(($a != 0) != ($b != 0))"},
    {Binary::BitwiseAnd, "", "($a & $b)"},
    {Binary::BitwiseOr, "", "($a | $b)"},
    {Binary::BitwiseXor, "", "($a ^ $b)"},
    {Binary::ShiftLeft, "", "pointwise::shift_left($a, $b)"},
    {Binary::ShiftRight, "", "pointwise::shift_right($a, $b)"},
};
// clang-format on

/// The row of @p kind; an empty one where the table has none.
template <class Kind, size_t kRows>
Words<Kind> words_of(const Words<Kind> (&table)[kRows], Kind kind) {
  for (const Words<Kind>& row : table)
    if (row.kind == kind) return row;
  return {kind, {}, {}};
}

std::string filled(std::string_view words, const std::string& a, const std::string& b = {}) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == '$')
      text += words[++i] == 'a' ? a : b;
    else
      text += words[i];
  }
  return text;
}

Expression infinite(const ir::UnaryAttributes& attributes, const std::string& x) {
  const auto equals = [&](bool asked, float value) {
    return asked ? format("({} == {})", x, literal(value)) : std::string("false");
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {format("static_cast<long long>({} | {})", equals(attributes.detect_negative, -kInfinity),
                 equals(attributes.detect_positive, kInfinity)),
          true};
}

}  // namespace

std::string literal(float value) {
  if (value != value) return "__int_as_float(0x7fc00000)";
  if (value - value != 0)
    return value > 0 ? "__int_as_float(0x7f800000)" : "__int_as_float(0xff800000)";
  std::string text = format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string as_real(const Expression& e) {
  return e.integer ? format("static_cast<float>({})", e.text) : e.text;
}

Expression unary(const ir::UnaryAttributes& attributes, const Expression& x) {
  if (attributes.kind == Unary::IsInf) return infinite(attributes, as_real(x));
  const Words<Unary> words = words_of(kUnary, attributes.kind);
  if (x.integer && !words.integer.empty()) return {filled(words.integer, x.text), true};
  return {filled(words.real, as_real(x)), words.tests};
}

Expression binary(const ir::ElementwiseAttributes& attributes, const Expression& a,
                  const Expression& b) {
  const Words<Binary> words = words_of(kBinary, attributes.kind);
  if (a.integer && b.integer && attributes.activation == ir::ActivationKind::None)
    return {filled(words.integer, a.text, b.text), true};
  const std::string real = filled(words.real, as_real(a), as_real(b));
  if (words.tests || real.empty()) return {real, words.tests};
  return {activated(attributes.activation, attributes.alpha, attributes.beta, real)};
}

Expression quantized(const Expression& x, const Expression& scale, const Expression& zero,
                     ir::DataType to) {
  const bool is_signed = to == ir::DataType::Int8;
  return {format("pointwise::quantized({} / {}, {}, {}, {})", as_real(x), as_real(scale), zero.text,
                 is_signed ? -128 : 0, is_signed ? 127 : 255),
          true};
}

Expression dequantized(const Expression& x, const Expression& scale, const Expression& zero) {
  return {format("__fmul_rn(static_cast<float>({} - {}), {})", x.text, zero.text, as_real(scale))};
}

std::string activated(ir::ActivationKind kind, float alpha, float beta, const std::string& x) {
  if (kind == ir::ActivationKind::None) return x;
  return format("{}::of({}, {}, {})", device_name(kind), x, literal(alpha), literal(beta));
}

}  // namespace dlaexec::gpu
