// elementwise, unary, prelu, where, scale.
#include <cmath>
#include <limits>

#include "ref/activation.h"
#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

double combine(ir::ElementwiseKind kind, double a, double b) {
  using Kind = ir::ElementwiseKind;
  switch (kind) {
    case Kind::Sum:
      return a + b;
    case Kind::Sub:
      return a - b;
    case Kind::Prod:
      return a * b;
    case Kind::Div:
      return a / b;
    case Kind::Pow:
      return std::pow(a, b);
    case Kind::Min:
      return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b);
    case Kind::Max:
      return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b);
    case Kind::Mod: {  // the sign of the divisor
      const double rest = std::fmod(a, b);
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case Kind::Fmod:
      return std::fmod(a, b);
    case Kind::Equal:
      return a == b;
    case Kind::Less:
      return a < b;
    case Kind::Greater:
      return a > b;
    case Kind::LessOrEqual:
      return a <= b;
    case Kind::GreaterOrEqual:
      return a >= b;
    default:
      fail("'{}' is for integers; the inputs are reals", text(kind));
  }
}

int64_t divide(int64_t a, int64_t b) {
  if (b == 0) return 0;  // as undefined in ONNX as in C; never a crash
  return b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
}

int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1;  // wraps, as the hardware does
  for (auto factor = static_cast<uint64_t>(base); exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<int64_t>(result);
}

int64_t modulo(int64_t a, int64_t b, bool sign_of_divisor) {
  if (b == 0 || b == -1) return 0;
  const int64_t rest = a % b;
  return sign_of_divisor && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

int64_t shift(int64_t a, int64_t by, bool left) {
  if (by < 0 || by > 63) return 0;
  const auto bits = static_cast<uint64_t>(a);
  return static_cast<int64_t>(left ? bits << by : bits >> by);
}

/// Sums, differences and products wrap, as the types do.
int64_t combine(ir::ElementwiseKind kind, int64_t a, int64_t b) {
  using Kind = ir::ElementwiseKind;
  const auto x = static_cast<uint64_t>(a);
  const auto y = static_cast<uint64_t>(b);
  switch (kind) {
    case Kind::Sum:
      return static_cast<int64_t>(x + y);
    case Kind::Sub:
      return static_cast<int64_t>(x - y);
    case Kind::Prod:
      return static_cast<int64_t>(x * y);
    case Kind::Div:
      return divide(a, b);
    case Kind::Pow:
      return power(a, b);
    case Kind::Min:
      return std::min(a, b);
    case Kind::Max:
      return std::max(a, b);
    case Kind::Mod:
    case Kind::Fmod:
      return modulo(a, b, kind == Kind::Mod);
    case Kind::And:
      return a != 0 && b != 0;
    case Kind::Or:
      return a != 0 || b != 0;
    case Kind::Xor:
      return (a != 0) != (b != 0);
    case Kind::Equal:
      return a == b;
    case Kind::Less:
      return a < b;
    case Kind::Greater:
      return a > b;
    case Kind::LessOrEqual:
      return a <= b;
    case Kind::GreaterOrEqual:
      return a >= b;
    case Kind::BitwiseAnd:
      return a & b;
    case Kind::BitwiseOr:
      return a | b;
    case Kind::BitwiseXor:
      return a ^ b;
    case Kind::ShiftLeft:
    case Kind::ShiftRight:
      return shift(a, b, kind == Kind::ShiftLeft);
  }
  return 0;
}

/// function(a, b) over both inputs, broadcast.
template <class Element, class Function>
std::vector<Element> zip(const Dims& y, const std::vector<Element>& a, const Dims& a_dims,
                         const std::vector<Element>& b, const Dims& b_dims, Function&& function) {
  std::vector<Element> result(static_cast<size_t>(ir::volume(y)));
  const Dims a_strides = broadcast_strides(a_dims, y);
  const Dims b_strides = broadcast_strides(b_dims, y);
  const int64_t row = y.empty() ? 1 : y.back();
  const int64_t a_step = last_stride(a_strides);
  const int64_t b_step = last_stride(b_strides);
  for_each_row<2>(y, {a_strides, b_strides}, [&](int64_t first, const std::array<int64_t, 2>& at) {
    for (int64_t i = 0; i < row; ++i)
      result[static_cast<size_t>(first + i)] = function(a[static_cast<size_t>(at[0] + i * a_step)],
                                                        b[static_cast<size_t>(at[1] + i * b_step)]);
  });
  return result;
}

double apply(const ir::UnaryAttributes& attributes, double x) {
  using Kind = ir::UnaryKind;
  switch (attributes.kind) {
    case Kind::Exp:
      return std::exp(x);
    case Kind::Log:
      return std::log(x);
    case Kind::Sqrt:
      return std::sqrt(x);
    case Kind::Reciprocal:
      return 1 / x;
    case Kind::Abs:
      return std::abs(x);
    case Kind::Neg:
      return -x;
    case Kind::Sin:
      return std::sin(x);
    case Kind::Cos:
      return std::cos(x);
    case Kind::Tan:
      return std::tan(x);
    case Kind::Sinh:
      return std::sinh(x);
    case Kind::Cosh:
      return std::cosh(x);
    case Kind::Asin:
      return std::asin(x);
    case Kind::Acos:
      return std::acos(x);
    case Kind::Atan:
      return std::atan(x);
    case Kind::Asinh:
      return std::asinh(x);
    case Kind::Acosh:
      return std::acosh(x);
    case Kind::Atanh:
      return std::atanh(x);
    case Kind::Ceil:
      return std::ceil(x);
    case Kind::Floor:
      return std::floor(x);
    case Kind::Round:
      return std::nearbyint(x);  // half to even
    case Kind::Sign:
      return x > 0 ? 1 : x < 0 ? -1 : x;
    case Kind::Erf:
      return std::erf(x);
    case Kind::IsNan:
      return std::isnan(x);
    case Kind::IsInf:
      return std::isinf(x) && (x < 0 ? attributes.detect_negative : attributes.detect_positive);
    case Kind::Not:
    case Kind::BitwiseNot:
      fail("'{}' is for integers; the input is real", text(attributes.kind));
  }
  return x;
}

int64_t apply(const ir::UnaryAttributes& attributes, int64_t x) {
  using Kind = ir::UnaryKind;
  switch (attributes.kind) {
    case Kind::Abs:
      return x < 0 ? static_cast<int64_t>(0 - static_cast<uint64_t>(x)) : x;
    case Kind::Neg:
      return static_cast<int64_t>(0 - static_cast<uint64_t>(x));
    case Kind::Sign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Kind::Not:
      return x == 0;
    case Kind::BitwiseNot:
      return ~x;
    case Kind::Ceil:
    case Kind::Floor:
    case Kind::Round:
      return x;
    default:
      return static_cast<int64_t>(apply(attributes, static_cast<double>(x)));
  }
}

}  // namespace

Tensors elementwise(const Call& call) {
  const auto& attributes = call.get<ir::ElementwiseAttributes>();
  const Dims y = broadcast(call.dims(0), call.dims(1));
  const bool exact =
      call.is_integer(0) && call.is_integer(1) && attributes.activation == ir::ActivationKind::None;
  if (exact)
    return {call.from_ints(
        y, zip(y, call.ints(0), call.dims(0), call.ints(1), call.dims(1),
               [&](int64_t a, int64_t b) { return combine(attributes.kind, a, b); }))};
  return {call.from_reals(
      y, zip(y, call.reals(0), call.dims(0), call.reals(1), call.dims(1), [&](float a, float b) {
        const double combined =
            combine(attributes.kind, static_cast<double>(a), static_cast<double>(b));
        return static_cast<float>(
            activate(attributes.activation, attributes.alpha, attributes.beta, combined));
      }))};
}

Tensors prelu(const Call& call) {
  const Dims& y = call.dims(0);
  return {call.from_reals(y, zip(y, call.reals(0), y, call.reals(1), call.dims(1),
                                 [](float x, float slope) { return x < 0 ? slope * x : x; }))};
}

Tensors unary(const Call& call) {
  const auto& attributes = call.get<ir::UnaryAttributes>();
  if (call.is_integer(0)) {
    std::vector<int64_t> ints = call.ints(0);
    for (int64_t& x : ints) x = apply(attributes, x);
    return {call.from_ints(call.dims(0), ints)};
  }
  std::vector<float> reals = call.reals(0);
  for (float& x : reals) x = static_cast<float>(apply(attributes, static_cast<double>(x)));
  return {call.from_reals(call.dims(0), reals)};
}

Tensors where(const Call& call) {
  const Tensor a = call.movable(1);
  const Tensor b = call.movable(2);
  const Dims y = broadcast(broadcast(a.dims(), b.dims()), call.dims(0));
  const Tensor chosen = gather_strided(a, y, 0, broadcast_strides(a.dims(), y));
  const Tensor other = gather_strided(b, y, 0, broadcast_strides(b.dims(), y));
  const Tensor test = gather_strided(call.tensor(0), y, 0, broadcast_strides(call.dims(0), y));
  Tensor result(a.type(), y);
  with_word(ir::size_bytes(a.type()), [&]<class Word>() {
    Word* to = mutable_words<Word>(result);
    for (int64_t i = 0; i < result.count(); ++i)
      to[i] = words<uint8_t>(test)[i] ? words<Word>(chosen)[i] : words<Word>(other)[i];
  });
  return {result};
}

Tensors scale(const Call& call) {
  const Dims& y = call.dims(0);
  const auto strides_of = [&](size_t input) {
    const Dims& dims = call.dims(input);
    if (dims == y || ir::volume(dims) == 1) return broadcast_strides(dims, y);
    Dims strides(y.size(), 0);  // one a channel
    strides.at(y.size() > 1 ? 1 : 0) = 1;
    return strides;
  };
  const std::vector<float> x = call.reals(0);
  const std::vector<float> factors = call.reals(1);
  const std::vector<float> shifts = call.reals(2);
  const std::array<Dims, 2> strides = {strides_of(1), strides_of(2)};
  const int64_t row = y.empty() ? 1 : y.back();
  std::vector<float> result(x.size());
  for_each_row<2>(y, strides, [&](int64_t first, const std::array<int64_t, 2>& at) {
    for (int64_t i = 0; i < row; ++i) {
      const auto to = static_cast<size_t>(first + i);
      const double factor = factors[static_cast<size_t>(at[0] + i * last_stride(strides[0]))];
      const double shift_by = shifts[static_cast<size_t>(at[1] + i * last_stride(strides[1]))];
      result[to] = static_cast<float>(x[to] * factor + shift_by);
    }
  });
  return {call.from_reals(y, result)};
}

}  // namespace dlaexec::ref
