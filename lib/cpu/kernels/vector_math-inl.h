// Functions of float vectors that several kernel files share. Compiled once per instruction set:
// include after foreach_isa.h; the guard toggles as Highway's own -inl headers do.
#if defined(DLAEXEC_CPU_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DLAEXEC_CPU_VECTOR_MATH_INL
#undef DLAEXEC_CPU_VECTOR_MATH_INL
#else
#define DLAEXEC_CPU_VECTOR_MATH_INL
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <limits>

#include "base/error.h"
#include "cpu/kernels/float_vector-inl.h"
#include "cpu/kernels/pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// exp(x) over the whole range, infinities and NaN included.
HWY_INLINE Vector exponential(Vector x) {
  const Floats d;
  const Vector result = hn::Exp(d, hn::Min(x, hn::Set(d, 89.0f)));
  const Vector infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  const Vector limited = hn::IfThenElse(hn::Gt(x, hn::Set(d, 88.72284f)), infinity, result);
  return hn::IfThenElse(hn::Eq(x, x), limited, x);
}

HWY_INLINE Vector logarithm(Vector x) {
  const Floats d;
  const Vector infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  const Vector nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  Vector result = hn::Log(d, x);
  result = hn::IfThenElse(hn::Eq(x, infinity), x, result);
  result = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), result);
  return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), result, nan);
}

/// exp(x) for x in [-87, 88], where neither it nor its inverse leaves the normal numbers: 2^n times
/// a polynomial of the rest.
HWY_INLINE Vector exponential_within(Vector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const auto c = [&](float value) { return hn::Set(d, value); };
  const Vector n = hn::Round(hn::Mul(x, c(1.44269504f)));
  const Vector rest = hn::NegMulAdd(n, c(-2.12194440e-4f), hn::NegMulAdd(n, c(0.693359375f), x));
  Vector p = c(1.9875691500e-4f);
  p = hn::MulAdd(p, rest, c(1.3981999507e-3f));
  p = hn::MulAdd(p, rest, c(8.3334519073e-3f));
  p = hn::MulAdd(p, rest, c(4.1665795894e-2f));
  p = hn::MulAdd(p, rest, c(1.6666665459e-1f));
  p = hn::MulAdd(p, rest, c(5.0000001201e-1f));
  const Vector value = hn::Add(hn::MulAdd(hn::Mul(rest, rest), p, rest), c(1.0f));
  const auto exponent = hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127));
  return hn::Mul(value, hn::BitCast(d, hn::ShiftLeft<23>(exponent)));
}

/// 1 / (1 + exp(-x)); steps of Newton's make an estimate of the inverse as good as a division: one
/// where it begins with 11 bits, two on NEON with 8. Below -80 it is 0, since products with what is
/// left would be subnormal and many times slower.
HWY_INLINE Vector sigmoid(Vector x) {
  const Floats d;
  const Vector limited = between(hn::Set(d, -87.0f), hn::Set(d, 87.0f), x);
  const Vector below = hn::Add(hn::Set(d, 1.0f), exponential_within(hn::Neg(limited)));
  Vector inverse = hn::ApproximateReciprocal(below);
  constexpr int kSteps = HWY_ARCH_X86 ? 1 : 2;
  for (int i = 0; i < kSteps; ++i)
    inverse = hn::Mul(inverse, hn::NegMulAdd(below, inverse, hn::Set(d, 2.0f)));
  const Vector visible = hn::IfThenElseZero(hn::Gt(limited, hn::Set(d, -80.0f)), inverse);
  return hn::IfThenElse(hn::Eq(x, x), visible, x);
}

HWY_INLINE Vector hyperbolic_tangent(Vector x) {
  const Floats d;
  return hn::IfThenElse(hn::Eq(x, x), hn::Tanh(d, x), x);
}

/// erf(x) as an odd rational function on [-4, 4], beyond which it is 1 to float's precision.
HWY_INLINE Vector error_function(Vector x) {
  const Floats d;
  const auto c = [&](float value) { return hn::Set(d, value); };
  const Vector t = between(c(-4.0f), c(4.0f), x);
  const Vector s = hn::Mul(t, t);
  Vector top = c(-2.72614225801306e-10f);
  top = hn::MulAdd(top, s, c(2.77068142495902e-08f));
  top = hn::MulAdd(top, s, c(-2.10102402082508e-06f));
  top = hn::MulAdd(top, s, c(-5.69250639462346e-05f));
  top = hn::MulAdd(top, s, c(-7.34990630326855e-04f));
  top = hn::MulAdd(top, s, c(-2.95459980854025e-03f));
  top = hn::MulAdd(top, s, c(-1.60960333262415e-02f));
  Vector bottom = c(-1.45660718464996e-05f);
  bottom = hn::MulAdd(bottom, s, c(-2.13374055278905e-04f));
  bottom = hn::MulAdd(bottom, s, c(-1.68282697438203e-03f));
  bottom = hn::MulAdd(bottom, s, c(-7.37332916720468e-03f));
  bottom = hn::MulAdd(bottom, s, c(-1.42647390514189e-02f));
  return hn::Div(hn::Mul(t, top), bottom);
}

/// log(1 + exp(x)) without overflow.
HWY_INLINE Vector softplus(Vector x) {
  const Floats d;
  const Vector rest = hn::Log1p(d, exponential(hn::Neg(hn::Abs(x))));
  return hn::Add(hn::Max(x, hn::Zero(d)), rest);
}

/// Calls @p body with the vector function of an activation.
template <class Body>
HWY_INLINE void with_activation(Activation activation, Body&& body) {
  using ir::ActivationKind;
  const Floats d;
  const Vector zero = hn::Zero(d);
  const Vector one = hn::Set(d, 1.0f);
  const Vector alpha = hn::Set(d, activation.alpha);
  const Vector beta = hn::Set(d, activation.beta);
  const auto negative_part = [&](Vector x) {  // exp(x) - 1 of x below zero
    return hn::Expm1(d, hn::Min(x, zero));
  };
  switch (activation.kind) {
    case ActivationKind::None:
      return body([&](Vector x) { return x; });
    case ActivationKind::Relu:
      return body([&](Vector x) { return at_least(zero, x); });
    case ActivationKind::Clip:
      return body([&](Vector x) { return between(alpha, beta, x); });
    case ActivationKind::LeakyRelu:
      return body([&](Vector x) { return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(alpha, x), x); });
    case ActivationKind::Sigmoid:
      return body([&](Vector x) { return sigmoid(x); });
    case ActivationKind::Tanh:
      return body([&](Vector x) { return hyperbolic_tangent(x); });
    case ActivationKind::Elu:
      return body([&](Vector x) {
        return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(alpha, negative_part(x)), x);
      });
    case ActivationKind::Selu:
      return body([&](Vector x) {
        return hn::Mul(beta, hn::IfThenElse(hn::Lt(x, zero), hn::Mul(alpha, negative_part(x)), x));
      });
    case ActivationKind::Celu:
      return body([&](Vector x) {
        return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(alpha, negative_part(hn::Div(x, alpha))), x);
      });
    case ActivationKind::Softplus:
      return body([&](Vector x) { return softplus(x); });
    case ActivationKind::Softsign:
      return body([&](Vector x) { return hn::Div(x, hn::Add(one, hn::Abs(x))); });
    case ActivationKind::HardSigmoid:
      return body([&](Vector x) { return between(zero, one, hn::MulAdd(alpha, x, beta)); });
    case ActivationKind::HardSwish:
      return body([&](Vector x) {
        const Vector gate = hn::MulAdd(x, hn::Set(d, 1.0f / 6), hn::Set(d, 0.5f));
        return hn::Mul(x, between(zero, one, gate));
      });
    case ActivationKind::GeluErf:
      return body([&](Vector x) {
        const Vector gate = hn::Add(one, error_function(hn::Mul(x, hn::Set(d, 0.70710678f))));
        return hn::Mul(hn::Mul(hn::Set(d, 0.5f), x), gate);
      });
    case ActivationKind::GeluTanh:
      return body([&](Vector x) {
        const Vector cube = hn::Mul(hn::Mul(x, x), x);
        const Vector inner =
            hn::Mul(hn::Set(d, 0.79788456f), hn::MulAdd(hn::Set(d, 0.044715f), cube, x));
        return hn::Mul(hn::Mul(hn::Set(d, 0.5f), x), hn::Add(one, hyperbolic_tangent(inner)));
      });
    case ActivationKind::Mish:
      return body([&](Vector x) { return hn::Mul(x, hyperbolic_tangent(softplus(x))); });
    case ActivationKind::Silu:
      return body([&](Vector x) { return hn::Mul(x, sigmoid(hn::Mul(alpha, x))); });
    case ActivationKind::ThresholdedRelu:
      return body([&](Vector x) { return hn::IfThenElse(hn::Gt(x, alpha), x, zero); });
    case ActivationKind::Shrink:
      return body([&](Vector x) {
        const Vector low = hn::IfThenElse(hn::Lt(x, hn::Neg(alpha)), hn::Add(x, beta), zero);
        return hn::IfThenElse(hn::Gt(x, alpha), hn::Sub(x, beta), low);
      });
  }
}

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
